impl Accounts {
    async fn debit(&self, amount: u8) -> Result<u8, String> {
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
                ::unanimous::__private::Recorder::new().put("amount", &amount).finish(),
                ::unanimous::__private::how_fenced_mapped::<
                    Result<u8, String>,
                >(|__error| ::core::result::Result::Err(text(__error))),
                async |__lent| -> Result<u8, String> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, String> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        self.journal.tried(amount);
                        Ok(amount)
                    }
                },
            )
            .await
    }
    async fn credit(&self, amount: u8) -> Result<u8, usize> {
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
                ::unanimous::__private::Recorder::new().put("amount", &amount).finish(),
                ::unanimous::__private::how_fenced_mapped::<
                    Result<u8, usize>,
                >(|__error| {
                    ::core::result::Result::Err(__error)
                        .map_err(|error| error.to_string().len())
                }),
                async |__lent| -> Result<u8, usize> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, usize> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        self.journal.tried(amount);
                        Ok(amount)
                    }
                },
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(&self, amount: u8) -> Result<(), String> {
        self.journal.confirmed(amount);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, amount: u8) -> Result<(), String> {
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
                    let amount: u8 = __branch.argument("amount")?;
                    let __answer = Self::confirm(&self, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("debit", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let amount: u8 = __branch.argument("amount")?;
                    let __answer = Self::cancel(&self, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("credit", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let amount: u8 = __branch.argument("amount")?;
                    let __answer = Self::confirm(&self, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("credit", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let amount: u8 = __branch.argument("amount")?;
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

async fn transfer(accounts: &Accounts) -> Result<u8, String> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "transfer",
                ),
            ),
            ::unanimous::__private::how_mapped::<
                Result<u8, String>,
            >(|__error| ::core::result::Result::Err(text(__error))),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, String> = loop {};
                        return __returned;
                    }
                    {
                        let taken = accounts.debit(3).await?;
                        accounts
                            .credit(taken + 1)
                            .await
                            .map_err(|length| length.to_string())
                    }
                }),
            ),
        )
        .await
}
