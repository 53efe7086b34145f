#[automatically_derived]
impl ::unanimous::__private::Participant for Shelf {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("take", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let sku: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("sku")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __context = __branch.context();
                            let __answer = Self::done(&self, &__context, &sku).await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __context = __branch.context();
                            let __answer = Self::undone(&self, &sku, &__context).await;
                            ::unanimous::__private::ended(__answer)
                        }
                    }
                })
            }
            ("put", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let sku: String = __branch.argument("sku")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __context = __branch.context();
                            let __answer = Self::done(&self, &__context, &sku).await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __context = __branch.context();
                            let __answer = Self::undone(&self, &sku, &__context).await;
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
