#[allow(deprecated, clippy::used_underscore_binding)]
#[allow(clippy::significant_drop_tightening)]
const _: () = {
    const __LINKED_FUNCTION: ::unanimous::__private::LinkedFunction = ::unanimous::__private::LinkedFunction::new(
            ::unanimous::__private::ActionSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "transfer",
                ),
                ::core::file!(),
                0,
            ),
            ::unanimous::__private::type_of(transfer),
            "transfer",
        )
        .needs(&[::unanimous::__private::Need::of::<App>()])
        .fence(|__states| {
            let app: &App = __states.get();
            ::unanimous::__private::fence_of({ &app.db }).erased()
        })
        .commit(|__states, __branch| ::std::boxed::Box::pin(async move {
            let app: &App = __states.get();
            let __owned: <str as ::std::borrow::ToOwned>::Owned = __branch
                .argument("to")?;
            let to: &str = &__owned;
            let __tried = ::unanimous::__private::tried_or_missing::<
                Result<i64, Failure>,
            >(__branch, ::unanimous::__private::how_fenced())?;
            let tried = &__tried;
            let __answer = ends::settle(
                    &app.journal,
                    format!("to {to}"),
                    tried,
                )
                .await;
            ::unanimous::__private::ended(__answer)
        }))
        .rollback(|__states, __branch| ::std::boxed::Box::pin(async move {
            let app: &App = __states.get();
            let __owned: <str as ::std::borrow::ToOwned>::Owned = __branch
                .argument("from")?;
            let from: &str = &__owned;
            let __tried = ::unanimous::__private::tried_or_missing::<
                Result<i64, Failure>,
            >(__branch, ::unanimous::__private::how_fenced())?;
            let tried = &__tried;
            let branch = &__branch.context();
            let tx: &mut FenceTx<Sqlite> = ::unanimous::__private::transaction_of(
                __branch,
            )?;
            let __answer = undo(app, *tried, tx, branch, from).await;
            ::unanimous::__private::ended(__answer)
        }));
    ::unanimous::__private::inventory::submit! {
        __LINKED_FUNCTION
    }
};
