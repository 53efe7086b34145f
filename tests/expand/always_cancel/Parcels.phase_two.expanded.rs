#[automatically_derived]
impl ::unanimous::__private::Participant for Parcels {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("book", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let city: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("city")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __tried = ::unanimous::__private::tried_or_missing::<
                                Result<u32, Failure>,
                            >(__branch, ::unanimous::__private::how_fenced())?;
                            let __answer = Self::send(&self, &city, &__tried).await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __tried = ::unanimous::__private::tried::<
                                Result<u32, Failure>,
                            >(__branch, ::unanimous::__private::how_fenced())?;
                            let __tx = ::unanimous::__private::fence_of({
                                    let __fenced = &*self;
                                    &__fenced.db
                                })
                                .transaction(__branch)?;
                            let __answer = Self::call_back(
                                    &self,
                                    __tx,
                                    city,
                                    __tried.as_ref(),
                                )
                                .await;
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
