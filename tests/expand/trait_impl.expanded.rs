impl AccountService for Accounts {
    type Amount = i64;
    async fn debit(&self, user: &str, amount: i64) -> Result<(), Failure> {
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
                ::unanimous::__private::Recorder::new()
                    .put("user", &user)
                    .put("amount", &amount)
                    .finish(),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        self.journal.tried(amount);
                        assert_eq!(user, "ann");
                        if amount > self.limit() {
                            Failure::business("limit")
                        } else {
                            Ok(())
                        }
                    }
                },
            )
            .await
    }
    #[allow(clippy::manual_async_fn)]
    fn credit(&self, amount: i64) -> impl Future<Output = Result<i64, Failure>> + Send {
        async move {
            ::unanimous::__private::run_fenced(
                    &const {
                        ::unanimous::__private::ActionSpec::new(
                            "credit",
                            ::core::file!(),
                            0,
                        )
                    },
                    self,
                    ::unanimous::__private::fence_of(&self.db),
                    ::unanimous::__private::Recorder::new()
                        .put("amount", &amount)
                        .finish(),
                    ::unanimous::__private::how_fenced(),
                    async |__lent| -> Result<i64, Failure> {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<i64, Failure> = loop {};
                            return __returned;
                        }
                        let tx: &mut FenceTx<Sqlite> = __lent;
                        {
                            unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                            self.journal.tried(amount);
                            Ok(amount)
                        }
                    },
                )
                .await
        }
    }
    fn limit(&self) -> i64 {
        100
    }
}
impl Accounts {
    #[allow(clippy::unused_async)]
    /// Moves.
    async fn confirm(
        &self,
        _tx: &mut FenceTx<Sqlite>,
        amount: i64,
    ) -> Result<(), Failure> {
        self.journal.confirmed(amount);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, amount: i64) -> Result<(), Failure> {
        self.journal.cancelled(amount);
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
                ::unanimous::__private::ActionSpec::new(
                    "credit",
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
                    let amount: i64 = __branch.argument("amount")?;
                    let __tx = ::unanimous::__private::fence_of(&self.db)
                        .transaction(__branch)?;
                    let __answer = Self::confirm(&self, __tx, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("debit", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let amount: i64 = __branch.argument("amount")?;
                    let __answer = Self::cancel(&self, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("credit", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let amount: i64 = __branch.argument("amount")?;
                    let __tx = ::unanimous::__private::fence_of(&self.db)
                        .transaction(__branch)?;
                    let __answer = Self::confirm(&self, __tx, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("credit", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let amount: i64 = __branch.argument("amount")?;
                    let __answer = Self::cancel(&self, amount).await;
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

async fn pay(
    service: &(impl AccountService + Sync),
    amount: i64,
) -> Result<i64, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "pay",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<i64, Failure> = loop {};
                        return __returned;
                    }
                    {
                        service.debit("ann", amount).await?;
                        service.credit(amount + 1).await
                    }
                }),
            ),
        )
        .await
}
