impl Mailer {
    /// Reserves a letter.
    async fn prepare(&self, to: String, pages: u32) -> Result<u32, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "prepare",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new()
                    .put("to", &to)
                    .put("pages", &pages)
                    .finish(),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<u32, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.journal.tried(&to);
                            if pages > 9 {
                                Failure::business("too long")
                            } else {
                                Ok(pages)
                            }
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn send(&self, pages: u32, to: &str) -> Result<(), Failure> {
        assert!(pages > 0);
        self.journal.confirmed(to);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn discard(&self, to: String) -> Result<(), Failure> {
        self.journal.cancelled(to);
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Mailer {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("mailer")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "prepare",
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
            ("prepare", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let pages: u32 = __branch.argument("pages")?;
                    let to: String = __branch.argument("to")?;
                    let __answer = Self::send(&self, pages, &to).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("prepare", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let to: String = __branch.argument("to")?;
                    let __answer = Self::discard(&self, to).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Mailer),
    ::core::file!(), ::core::line!())
}

async fn write(mailer: &Mailer, pages: u32) -> Result<u32, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "write",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u32, Failure> = loop {};
                        return __returned;
                    }
                    { mailer.prepare("ann".to_owned(), pages).await }
                }),
            ),
        )
        .await
}
