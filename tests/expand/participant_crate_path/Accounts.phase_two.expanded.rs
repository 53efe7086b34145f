#[automatically_derived]
impl crate::renamed::__private::Participant for Accounts {
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut crate::renamed::__private::Branch,
    ) -> crate::renamed::__private::PhaseTwoFuture<'__branch> {
        match (__branch.action(), __branch.decision()) {
            ("debit", crate::renamed::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __tried = __branch
                        .tried_or_missing::<
                            <Result<
                                i64,
                                Failure,
                            > as crate::renamed::__private::Fallible>::Value,
                        >()?;
                    let __answer = Self::confirm(&self, &__tried).await;
                    crate::renamed::__private::ended(__answer)
                })
            }
            ("debit", crate::renamed::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let amount: i64 = __branch.argument("amount")?;
                    let __answer = Self::cancel(&self, amount).await;
                    crate::renamed::__private::ended(__answer)
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
