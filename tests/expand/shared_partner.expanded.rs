impl Shelf {
    async fn take(&self, sku: &str, count: u32) -> Result<u32, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "take",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new()
                    .put("sku", &sku)
                    .put("count", &count)
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
                            self.journal.tried(format!("take {sku}"));
                            Ok(count)
                        }
                    }),
                ),
            )
            .await
    }
    async fn put(&self, sku: String) -> Result<usize, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "put",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::Recorder::new().put("sku", &sku).finish(),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<usize, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.journal.tried(format!("put {sku}"));
                            Ok(sku.len())
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn done(&self, context: &BranchContext, sku: &str) -> Result<(), Failure> {
        self.journal.confirmed(format!("{} {sku}", context.action()));
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn undone(&self, sku: &str, context: &BranchContext) -> Result<(), Failure> {
        self.journal.cancelled(format!("{} {sku}", context.action()));
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Shelf {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("shelf")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "take",
                    ::core::file!(),
                    0,
                ),
                ::unanimous::__private::ActionSpec::new(
                    "put",
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
            ("take", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __context = __branch.context();
                    let sku: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("sku")?;
                    let __answer = Self::done(&self, &__context, &sku).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("take", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let sku: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("sku")?;
                    let __context = __branch.context();
                    let __answer = Self::undone(&self, &sku, &__context).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("put", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let __context = __branch.context();
                    let sku: String = __branch.argument("sku")?;
                    let __answer = Self::done(&self, &__context, &sku).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("put", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let sku: String = __branch.argument("sku")?;
                    let __context = __branch.context();
                    let __answer = Self::undone(&self, &sku, &__context).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Shelf),
    ::core::file!(), ::core::line!())
}

async fn exchange(shelf: &Shelf, fails: bool) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "exchange",
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
                        assert_eq!(shelf.take("tea", 2).await?, 2);
                        assert_eq!(shelf.put("milk".to_owned()).await?, 4);
                        if fails { Failure::business("fails") } else { Ok(()) }
                    }
                }),
            ),
        )
        .await
}
