#[async_trait]
impl AccountService for Accounts {
    async fn debit(&self, user: &str) -> Result<String, Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "debit",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of(&self.db),
                ::unanimous::__private::Recorder::new().put("user", &user).finish(),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<String, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<String, Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                        if user == "eve" {
                            return Failure::business("no account");
                        }
                        self.journal.tried(user);
                        Ok(user.to_owned())
                    }
                },
            )
            .await
    }
}
impl Accounts {
    #[allow(clippy::unused_async)]
    async fn confirm(&self, user: &str) -> Result<(), Failure> {
        self.journal.confirmed(user);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, user: &str) -> Result<(), Failure> {
        self.journal.cancelled(user);
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Accounts {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("account")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "debit",
                    ::core::file!(),
                    0,
                ),
            ]
        }
    }
    fn fence(&self) -> ::core::option::Option<&dyn ::unanimous::__private::DynFence> {
        ::core::option::Option::Some(::unanimous::__private::fence_of(&self.db).erased())
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
            ("debit", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __tried = __branch
                        .tried_or_missing::<
                            <Result<
                                String,
                                Failure,
                            > as ::unanimous::__private::Fallible>::Value,
                        >()?;
                    let __answer = Self::confirm(&self, &__tried).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("debit", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let user: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("user")?;
                    let __answer = Self::cancel(&self, &user).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Accounts),
    ::core::file!(), ::core::line!())
}
