#[automatically_derived]
impl ::unanimous::__private::Participant for Raw {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("try", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let r#type: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("type")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __argument__branch: u8 = __branch.argument("__branch")?;
                            let tx: u8 = __branch.argument("tx")?;
                            let __answer = Self::r#match(
                                    &self,
                                    __argument__branch,
                                    r#type,
                                    &tx,
                                )
                                .await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __answer = Self::r#loop(&self, &r#type).await;
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
