impl Orders {
    async fn create(&self, sku: &str) -> Result<String, Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "create",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of(&self.db),
                ::unanimous::__private::Recorder::new().put("sku", &sku).finish(),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<String, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<String, Failure> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        let id = format!("{sku}-1");
                        self.journal.tried(&id);
                        Ok(id)
                    }
                },
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(&self, id: &str) -> Result<(), Failure> {
        self.journal.confirmed(id);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(
        &self,
        tx: &mut FenceTx<Sqlite>,
        sku: String,
        id: &String,
    ) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        assert!(id.starts_with(&sku));
        self.journal.cancelled(id);
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Orders {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("orders")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "create",
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
            ("create", ::unanimous::__private::Decision::Commit) => {
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
            ("create", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let sku: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("sku")?;
                    let __tried = __branch
                        .tried_or_missing::<
                            <Result<
                                String,
                                Failure,
                            > as ::unanimous::__private::Fallible>::Value,
                        >()?;
                    let __tx = ::unanimous::__private::fence_of(&self.db)
                        .transaction(__branch)?;
                    let __answer = Self::cancel(&self, __tx, sku, &__tried).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Orders),
    ::core::file!(), ::core::line!())
}

async fn order(orders: &Orders, fails: bool) -> Result<String, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "order",
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
                    {
                        let id = orders.create("tea").await?;
                        if fails { Failure::business("no money") } else { Ok(id) }
                    }
                }),
            ),
        )
        .await
}
