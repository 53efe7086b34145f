#[automatically_derived]
impl crate::renamed::crate_must_name_the_crate_unanimous::Participant for Accounts {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut crate::renamed::crate_must_name_the_crate_unanimous::Branch,
    ) -> crate::renamed::crate_must_name_the_crate_unanimous::PhaseTwoFuture<'__branch> {
        let _ = crate::renamed::crate_must_name_the_crate_unanimous::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            (
                "debit",
                crate::renamed::crate_must_name_the_crate_unanimous::Decision::Commit,
            ) => {
                ::std::boxed::Box::pin(async move {
                    let __tried = crate::renamed::crate_must_name_the_crate_unanimous::tried_or_missing::<
                        Result<i64, Failure>,
                    >(
                        __branch,
                        crate::renamed::crate_must_name_the_crate_unanimous::how_fenced(),
                    )?;
                    let __answer = Self::confirm(&self, &__tried).await;
                    crate::renamed::crate_must_name_the_crate_unanimous::ended(__answer)
                })
            }
            (
                "debit",
                crate::renamed::crate_must_name_the_crate_unanimous::Decision::Rollback,
            ) => {
                ::std::boxed::Box::pin(async move {
                    let amount: i64 = __branch.argument("amount")?;
                    let __answer = Self::cancel(&self, amount).await;
                    crate::renamed::crate_must_name_the_crate_unanimous::ended(__answer)
                })
            }
            _ => {
                let error = __branch.unknown_action();
                ::std::boxed::Box::pin(
                    ::core::future::ready(::core::result::Result::Err(error)),
                )
            }
        }
    }
}
