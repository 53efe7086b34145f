#[automatically_derived]
impl ::unanimous::__private::Participant for Tickets {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("book", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __tried = ::unanimous::__private::tried_or_missing::<
                        Answer<Vec<u8>>,
                    >(__branch, ::unanimous::__private::how_tried())?;
                    let __answer = Self::confirm(&self, &__tried).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("book", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let seats: Vec<u8> = __branch.argument("seats")?;
                    let __tried = ::unanimous::__private::tried::<
                        Answer<Vec<u8>>,
                    >(__branch, ::unanimous::__private::how_tried())?;
                    let __answer = Self::cancel(&self, &seats, __tried.as_deref()).await;
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
