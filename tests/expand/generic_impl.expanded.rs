impl<R, const N: usize> Accounts<R, N>
where
    R: Repo,
{
    const LIMIT: usize = N;
    async fn open(&self, id: R::Id, others: &[R::Id]) -> Result<usize, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "open",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new()
                    .put("id", &id)
                    .put("others", &others)
                    .finish(),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<usize, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.journal.tried(&id);
                            if others.len() > Self::LIMIT {
                                Failure::business("too many")
                            } else {
                                Ok(N)
                            }
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(&self, id: &R::Id, others: Vec<R::Id>) -> Result<(), Failure> {
        assert!(self.repo.save(id).await && others.len() <= N);
        self.journal.confirmed(id);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, id: R::Id) -> Result<(), Failure> {
        self.journal.cancelled(id);
        Ok(())
    }
}
#[automatically_derived]
impl<R, const N: usize> ::unanimous::__private::Participant for Accounts<R, N>
where
    R: Repo,
{
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::core::convert::Into::into(format!("account-{N}"))
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "open",
                    ::core::file!(),
                    0,
                ),
            ]
        }
    }
    fn declared_at(
        &self,
    ) -> ::core::option::Option<::unanimous::__private::SourceLocation> {
        ::core::option::Option::Some(::unanimous::__private::SourceLocation {
            file: ::core::file!(),
            line: ::core::line!(),
        })
    }
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut ::unanimous::__private::Branch,
    ) -> ::unanimous::__private::BoxFuture<
        '__branch,
        ::core::result::Result<(), ::unanimous::__private::PhaseTwoError>,
    > {
        match (__branch.action(), __branch.decision()) {
            ("open", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let id: R::Id = __branch.argument("id")?;
                    let others: <[R::Id] as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("others")?;
                    let __answer = Self::confirm(&self, &id, others).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("open", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let id: R::Id = __branch.argument("id")?;
                    let __answer = Self::cancel(&self, id).await;
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
::unanimous::__private::inventory::submit! {
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Accounts
    < R, N >), ::core::file!(), ::core::line!())
}

async fn open<R: Repo>(
    accounts: &Accounts<R, 2>,
    id: R::Id,
    others: &[R::Id],
) -> Result<usize, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "open",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<usize, Failure> = loop {};
                        return __returned;
                    }
                    { accounts.open(id, others).await }
                }),
            ),
        )
        .await
}
