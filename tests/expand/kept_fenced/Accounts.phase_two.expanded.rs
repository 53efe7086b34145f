#[automatically_derived]
impl ::unanimous::__private::Participant for Accounts {
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch> {
        let _ = ::unanimous::__private::shared::<Self>;
        match (__branch.action(), __branch.decision()) {
            ("set", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let to: i64 = __branch.argument("to")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let __read_note: ::core::option::Option<
                                <str as ::std::borrow::ToOwned>::Owned,
                            > = __branch.kept("note")?;
                            let __answer = Self::confirm(
                                    &self,
                                    to,
                                    __read_note.as_deref(),
                                )
                                .await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __read_before: i64 = __branch.kept_or_missing("before")?;
                            let __read_remark: Option<String> = __branch.kept("note")?;
                            let __tx = ::unanimous::__private::fence_of({
                                    let __fenced = &*self;
                                    &__fenced.db
                                })
                                .transaction(__branch)?;
                            let __answer = Self::restore(
                                    &self,
                                    __tx,
                                    to,
                                    __read_before,
                                    __read_remark,
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
