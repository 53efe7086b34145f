#[allow(deprecated, clippy::used_underscore_binding)]
#[allow(clippy::significant_drop_tightening)]
const _: () = {
    const __LINKED_FUNCTION: ::unanimous::__private::LinkedFunction = ::unanimous::__private::LinkedFunction::new(
            ::unanimous::__private::ActionSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "debit",
                ),
                ::core::file!(),
                0,
            ),
            ::unanimous::__private::type_of(debit),
            "debit",
        )
        .needs(
            &[
                ::unanimous::__private::Need::of::<SqlitePool>(),
                ::unanimous::__private::Need::of::<Journal>(),
            ],
        )
        .fence(|__states| {
            let db: &SqlitePool = __states.get();
            ::unanimous::__private::fence_of({ &*db }).erased()
        })
        .partners(|__states, __branch| ::std::boxed::Box::pin(async move {
            let db: &SqlitePool = __states.get();
            let journal: Journal = __states.cloned();
            let __owned: <str as ::std::borrow::ToOwned>::Owned = __branch
                .argument("user")?;
            let user: &str = &__owned;
            let amount: i64 = __branch.argument("amount")?;
            let __decision = __branch.decision();
            let tx: &mut FenceTx<Sqlite> = ::unanimous::__private::transaction_of(
                __branch,
            )?;
            match __decision {
                ::unanimous::__private::Decision::Commit => {
                    let __answer = confirm(tx, db, journal, user, amount).await;
                    ::unanimous::__private::ended(__answer)
                }
                ::unanimous::__private::Decision::Rollback => {
                    let __answer = cancel(tx, db, journal, user, amount).await;
                    ::unanimous::__private::ended(__answer)
                }
            }
        }));
    ::unanimous::__private::inventory::submit! {
        __LINKED_FUNCTION
    }
};
