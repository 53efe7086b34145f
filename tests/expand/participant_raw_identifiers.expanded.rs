impl Raw {
    #[allow(clippy::used_underscore_binding)]
    async fn r#try(&self, r#type: &str, __branch: u8, tx: u8) -> Result<u8, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "try",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new()
                    .put("type", &r#type)
                    .put("__branch", &__branch)
                    .put("tx", &tx)
                    .finish(),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<u8, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.journal.tried(r#type);
                            Ok(__branch + tx)
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn r#match(
        &self,
        __branch: u8,
        r#type: String,
        tx: &u8,
    ) -> Result<(), Failure> {
        assert_eq!((__branch, tx), (1, &2));
        self.journal.confirmed(r#type);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn r#loop(&self, r#type: &str) -> Result<(), Failure> {
        self.journal.cancelled(r#type);
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Raw {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("raw")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "try",
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
            ("try", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __argument__branch: u8 = __branch.argument("__branch")?;
                    let r#type: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("type")?;
                    let tx: u8 = __branch.argument("tx")?;
                    let __answer = Self::r#match(&self, __argument__branch, r#type, &tx)
                        .await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("try", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let r#type: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("type")?;
                    let __answer = Self::r#loop(&self, &r#type).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Raw),
    ::core::file!(), ::core::line!())
}

async fn r#try(raw: &Raw) -> Result<u8, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "try",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, Failure> = loop {};
                        return __returned;
                    }
                    { raw.r#try("text", 1, 2).await }
                }),
            ),
        )
        .await
}
