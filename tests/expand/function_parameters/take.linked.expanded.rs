#[allow(deprecated, clippy::used_underscore_binding)]
#[allow(clippy::significant_drop_tightening)]
const _: () = {
    const __LINKED_FUNCTION: ::unanimous::__private::LinkedFunction = ::unanimous::__private::LinkedFunction::new(
            ::unanimous::__private::ActionSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "take",
                ),
                ::core::file!(),
                0,
            ),
            ::unanimous::__private::type_of(take),
            "take",
        )
        .needs(&[::unanimous::__private::Need::of::<Journal>()])
        .commit(|__states, __branch| ::std::boxed::Box::pin(async move {
            let journal: &Journal = __states.get();
            let __owned: <str as ::std::borrow::ToOwned>::Owned = __branch
                .argument("sku")?;
            let sku: &str = &__owned;
            let __owned: <[Item] as ::std::borrow::ToOwned>::Owned = __branch
                .argument("items")?;
            let items: &[Item] = &__owned;
            let __owned: ::core::option::Option<
                <str as ::std::borrow::ToOwned>::Owned,
            > = __branch.argument("note")?;
            let note: ::core::option::Option<&str> = __owned.as_deref();
            let __owned: ::core::option::Option<
                <Item as ::std::borrow::ToOwned>::Owned,
            > = __branch.argument("first")?;
            let first: ::core::option::Option<&Item> = ::unanimous::__private::lent_inside::<
                Item,
            >(&__owned);
            let label: Cow<'static, str> = __branch.argument("label")?;
            let r#type: u8 = __branch.argument("type")?;
            let __answer = sell(journal, sku, items, note, first, label, r#type).await;
            ::unanimous::__private::ended(__answer)
        }))
        .rollback(|__states, __branch| ::std::boxed::Box::pin(async move {
            let journal: &Journal = __states.get();
            let __owned: <str as ::std::borrow::ToOwned>::Owned = __branch
                .argument("sku")?;
            let sku: &str = &__owned;
            let __owned: <[Item] as ::std::borrow::ToOwned>::Owned = __branch
                .argument("items")?;
            let items: &[Item] = &__owned;
            let __owned: ::core::option::Option<
                <str as ::std::borrow::ToOwned>::Owned,
            > = __branch.argument("note")?;
            let note: ::core::option::Option<&str> = __owned.as_deref();
            let r#type: u8 = __branch.argument("type")?;
            let __answer = put_back(journal, sku, items.len(), note, r#type).await;
            ::unanimous::__private::ended(__answer)
        }));
    ::unanimous::__private::inventory::submit! {
        __LINKED_FUNCTION
    }
};
