impl Storage {
    async fn take_from_shelf(&self, count: u32) -> Result<String, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "deduct",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new().put("count", &count).finish(),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<String, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.journal.tried(count);
                            let context = BranchContext::current()
                                .ok_or(Failure::Business("no branch"))?;
                            Ok(context.action().to_owned())
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(&self, count: u32) -> Result<(), Failure> {
        self.journal.confirmed(count);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, count: u32) -> Result<(), Failure> {
        self.journal.cancelled(count);
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Storage {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("storage")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "deduct",
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
            ("deduct", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let count: u32 = __branch.argument("count")?;
                    let __answer = Self::confirm(&self, count).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("deduct", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let count: u32 = __branch.argument("count")?;
                    let __answer = Self::cancel(&self, count).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Storage),
    ::core::file!(), ::core::line!())
}

async fn take(storage: &Storage) -> Result<String, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "take",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<String, Failure> = loop {};
                        return __returned;
                    }
                    { storage.take_from_shelf(4).await }
                }),
            ),
        )
        .await
}
