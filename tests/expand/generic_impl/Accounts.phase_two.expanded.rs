#[automatically_derived]
impl<R, const N: usize> ::unanimous::__private::Participant for Accounts<R, N>
where
    R: Repo,
{
    #[allow(clippy::significant_drop_tightening)]
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::PhaseTwoFuture<'__branch>
    where
        Self: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        match (__branch.action(), __branch.decision()) {
            ("open", __decision) => {
                ::std::boxed::Box::pin(async move {
                    let id: R::Id = __branch.argument("id")?;
                    match __decision {
                        ::unanimous::__private::Decision::Commit => {
                            let others: <[R::Id] as ::std::borrow::ToOwned>::Owned = __branch
                                .argument("others")?;
                            let __answer = Self::confirm(&self, &id, others).await;
                            ::unanimous::__private::ended(__answer)
                        }
                        ::unanimous::__private::Decision::Rollback => {
                            let __answer = Self::cancel(&self, id).await;
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
