#[automatically_derived]
impl ::unanimous::__private::Participant for Orders {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("create", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __tried = ::unanimous::__private::tried_or_missing::<
                        Result<String, Failure>,
                    >(__branch, ::unanimous::__private::how_fenced())?;
                    let __answer = Self::confirm(&self, &__tried).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("create", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let sku: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("sku")?;
                    let __tried = ::unanimous::__private::tried_or_missing::<
                        Result<String, Failure>,
                    >(__branch, ::unanimous::__private::how_fenced())?;
                    let __tx = ::unanimous::__private::fence_of({
                            let __fenced = &*self;
                            &__fenced.db
                        })
                        .transaction(__branch)?;
                    let __answer = Self::cancel(&self, __tx, sku, &__tried).await;
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
