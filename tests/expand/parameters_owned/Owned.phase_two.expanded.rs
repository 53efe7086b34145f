#[automatically_derived]
impl ::unanimous::__private::Participant for Owned {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("record", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let cow: Cow<'static, str> = __branch.argument("cow")?;
                    let word: ::core::option::Option<
                        <str as ::std::borrow::ToOwned>::Owned,
                    > = __branch.argument("word")?;
                    let number: ::core::option::Option<
                        <u8 as ::std::borrow::ToOwned>::Owned,
                    > = __branch.argument("number")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __answer = Self::as_recorded(
                                    &self,
                                    cow,
                                    word.as_deref(),
                                    number.as_ref(),
                                )
                                .await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let text: String = __branch.argument("text")?;
                            let __answer = Self::the_other_way(
                                    &self,
                                    ::std::borrow::Cow::Owned(text),
                                    cow.into_owned(),
                                    word,
                                    number,
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
