#[allow(deprecated, clippy::used_underscore_binding)]
#[allow(clippy::significant_drop_tightening)]
const _: () = {
    const __LINKED_FUNCTION: ::unanimous::__private::LinkedFunction = ::unanimous::__private::LinkedFunction::new(
            ::unanimous::__private::ActionSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "try",
                ),
                ::core::file!(),
                0,
            ),
            ::unanimous::__private::type_of(r#try),
            "try",
        )
        .needs(&[::unanimous::__private::Need::of::<Arc<Journal>>()])
        .commit(|__states, __branch| ::std::boxed::Box::pin(async move {
            let r#journal: &Arc<Journal> = __states.get();
            let __owned: <str as ::std::borrow::ToOwned>::Owned = __branch
                .argument("user")?;
            let user: &str = &__owned;
            let __owned: ::core::option::Option<
                <Note as ::std::borrow::ToOwned>::Owned,
            > = __branch.argument("type")?;
            let r#type: ::core::option::Option<&Note> = ::unanimous::__private::lent_inside::<
                Note,
            >(&__owned);
            let __answer = send(r#journal, user, r#type).await;
            ::unanimous::__private::ended(__answer)
        }))
        .rollback(|__states, __branch| ::std::boxed::Box::pin(async move {
            let journal: &Arc<Journal> = __states.get();
            let __owned: <str as ::std::borrow::ToOwned>::Owned = __branch
                .argument("user")?;
            let user: &str = &__owned;
            let __owned: ::core::option::Option<
                <Note as ::std::borrow::ToOwned>::Owned,
            > = __branch.argument("type")?;
            let r#type: ::core::option::Option<&Note> = ::unanimous::__private::lent_inside::<
                Note,
            >(&__owned);
            let __answer = discard(journal, user.trim(), r#type).await;
            ::unanimous::__private::ended(__answer)
        }));
    ::unanimous::__private::inventory::submit! {
        __LINKED_FUNCTION
    }
};
