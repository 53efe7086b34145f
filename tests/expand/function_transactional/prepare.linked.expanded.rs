#[allow(deprecated, clippy::used_underscore_binding)]
#[allow(clippy::significant_drop_tightening)]
const _: () = {
    const __LINKED_FUNCTION: ::unanimous::__private::LinkedFunction = ::unanimous::__private::LinkedFunction::new(
            ::unanimous::__private::ActionSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "prepare",
                ),
                ::core::file!(),
                0,
            ),
            ::unanimous::__private::type_of(prepare),
            "prepare",
        )
        .needs(&[::unanimous::__private::Need::of::<Journal>()])
        .partners(|__states, __branch| ::std::boxed::Box::pin(async move {
            let journal: &Journal = __states.get();
            let __owned: <str as ::std::borrow::ToOwned>::Owned = __branch
                .argument("to")?;
            let to: &str = &__owned;
            let __decision = __branch.decision();
            match __decision {
                ::unanimous::__private::Decision::Commit => {
                    let __answer = send(journal, to).await;
                    ::unanimous::__private::ended(__answer)
                }
                ::unanimous::__private::Decision::Rollback => {
                    let __answer = discard(journal, to).await;
                    ::unanimous::__private::ended(__answer)
                }
            }
        }));
    ::unanimous::__private::inventory::submit! {
        __LINKED_FUNCTION
    }
};
