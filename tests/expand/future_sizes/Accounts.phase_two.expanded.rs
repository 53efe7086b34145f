#[automatically_derived]
impl ::unanimous::__private::Participant for Accounts {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("fenced", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __answer = Self::confirm(&self).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("fenced", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let __answer = Self::cancel(&self).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("unfenced", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __answer = Self::confirm(&self).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("unfenced", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let __answer = Self::cancel(&self).await;
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
