impl Accounts {
    async fn debit(&self, amount: i64) -> Result<i64, Failure> {
        crate::renamed::__private::run_fenced(
                &const {
                    crate::renamed::__private::ActionSpec::new(
                        "debit",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                crate::renamed::__private::fence_of(&self.db),
                crate::renamed::__private::Recorder::new()
                    .put("amount", &amount)
                    .finish(),
                crate::renamed::__private::how_fenced(),
                async |__lent| -> Result<i64, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<i64, Failure> = loop {};
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
    async fn confirm(&self, amount: &i64) -> Result<(), Failure> {
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
impl crate::renamed::__private::Participant for Accounts {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("account")
    }
    fn actions(&self) -> &'static [crate::renamed::__private::ActionSpec] {
        const {
            &[
                crate::renamed::__private::ActionSpec::new(
                    "debit",
                    ::core::file!(),
                    0,
                ),
            ]
        }
    }
    fn fence(&self) -> ::core::option::Option<&dyn crate::renamed::__private::DynFence> {
        ::core::option::Option::Some(
            crate::renamed::__private::fence_of(&self.db).erased(),
        )
    }
    fn declared_at(
        &self,
    ) -> ::core::option::Option<crate::renamed::__private::SourceLocation> {
        ::core::option::Option::Some(crate::renamed::__private::SourceLocation {
            file: ::core::file!(),
            line: ::core::line!(),
        })
    }
    fn phase_two<'__branch>(
        self: ::std::sync::Arc<Self>,
        __branch: &'__branch mut crate::renamed::__private::Branch,
    ) -> crate::renamed::__private::BoxFuture<
        '__branch,
        ::core::result::Result<(), crate::renamed::__private::PhaseTwoError>,
    > {
        match (__branch.action(), __branch.decision()) {
            ("debit", crate::renamed::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __tried = __branch
                        .tried_or_missing::<
                            <Result<
                                i64,
                                Failure,
                            > as crate::renamed::__private::Fallible>::Value,
                        >()?;
                    let __answer = Self::confirm(&self, &__tried).await;
                    crate::renamed::__private::ended(__answer)
                })
            }
            ("debit", crate::renamed::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let amount: i64 = __branch.argument("amount")?;
                    let __answer = Self::cancel(&self, amount).await;
                    crate::renamed::__private::ended(__answer)
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
crate::renamed::__private::inventory::submit! {
    crate
    ::renamed::__private::LinkedParticipant::new(::core::stringify!(Accounts),
    ::core::file!(), ::core::line!())
}

async fn pay(accounts: &Accounts, probe: &Probe) -> Result<i64, Failure> {
    crate::renamed::__private::run_global(
            crate::renamed::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "pay",
                ),
            ),
            crate::renamed::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<i64, Failure> = loop {};
                        return __returned;
                    }
                    {
                        probe.touch("beside").await?;
                        accounts.debit(5).await
                    }
                }),
            ),
        )
        .await
}
