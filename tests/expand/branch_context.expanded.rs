impl Gateway {
    async fn authorise(&self, amount: u32) -> Result<String, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "authorise",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new().put("amount", &amount).finish(),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<String, Failure> = loop {};
                            return __returned;
                        }
                        {
                            let context = BranchContext::current()
                                .ok_or(Failure::Business("no branch"))?;
                            self.journal.tried(context.try_key());
                            assert!(amount > 0);
                            Ok(context.try_key())
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn capture(
        &self,
        context: &BranchContext,
        amount: u32,
    ) -> Result<(), Failure> {
        assert_ne!(context.key(), context.try_key());
        assert_eq!((context.action(), amount), ("authorise", 5));
        self.journal.confirmed(context.try_key());
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn release(&self, context: &BranchContext) -> Result<(), Failure> {
        self.journal.cancelled(context.try_key());
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Gateway {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("gateway")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "authorise",
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
            ("authorise", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __context = __branch.context();
                    let amount: u32 = __branch.argument("amount")?;
                    let __answer = Self::capture(&self, &__context, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("authorise", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let __context = __branch.context();
                    let __answer = Self::release(&self, &__context).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Gateway),
    ::core::file!(), ::core::line!())
}

async fn charge(gateway: &Gateway, fails: bool) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "charge",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        let key = gateway.authorise(5).await?;
                        assert_eq!(key.len(), 32);
                        if fails { Failure::business("declined") } else { Ok(()) }
                    }
                }),
            ),
        )
        .await
}
