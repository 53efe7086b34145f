#[automatically_derived]
impl ::unanimous::__private::Participant for Accounts {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("debit", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let amount: i64 = __branch.argument("amount")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __answer = Self::confirm(&self, amount).await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __answer = Self::cancel(&self, amount).await;
                            ::unanimous::__private::ended(__answer)
                        }
                    }
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
