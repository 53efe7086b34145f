#[automatically_derived]
impl ::unanimous::__private::Participant for Gateway {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("authorise", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let card: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("card")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __read_authorisation: <[u8] as ::std::borrow::ToOwned>::Owned = __branch
                                .kept_or_missing("authorisation")?;
                            let __answer = Self::capture(
                                    &self,
                                    &card,
                                    &__read_authorisation,
                                )
                                .await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __read_authorisation: ::core::option::Option<
                                <Vec<u8> as ::std::borrow::ToOwned>::Owned,
                            > = __branch.kept("authorisation")?;
                            let __answer = Self::release(
                                    &self,
                                    __read_authorisation.as_ref(),
                                    card,
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
