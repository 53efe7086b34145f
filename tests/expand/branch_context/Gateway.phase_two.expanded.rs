#[automatically_derived]
impl ::unanimous::__private::Participant for Gateway {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("authorise", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __context = __branch.context();
                    let amount: u32 = __branch.argument("amount")?;
                    let __answer = Self::capture(&self, &__context, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("authorise", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let __context = __branch.context();
                    let __answer = Self::release(&self, &__context).await;
                    ::unanimous::__private::ended(__answer)
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
