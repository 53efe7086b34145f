impl Shard {
    async fn put(&self, key: &str) -> Result<(), Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "put",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of(&*self.pool()),
                ::unanimous::__private::Recorder::new().put("key", &key).finish(),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                        self.journal
                            .tried(format!("{key} in {}", self.number));
                        Ok(())
                    }
                },
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(&self, tx: &mut FenceTx<Sqlite>, key: &str) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        self.journal.confirmed(format!("{key} in {}", self.number));
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, key: &str) -> Result<(), Failure> {
        self.journal.cancelled(format!("{key} in {}", self.number));
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Shard {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::core::convert::Into::into(format!("shard-{}", self.number))
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "put",
                    ::core::file!(),
                    0,
                ),
            ]
        }
    }
    fn fence(&self) -> ::core::option::Option<&dyn ::unanimous::__private::DynFence> {
        ::core::option::Option::Some(
            ::unanimous::__private::fence_of(&*self.pool()).erased(),
        )
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
            ("put", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let key: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("key")?;
                    let __tx = ::unanimous::__private::fence_of(&*self.pool())
                        .transaction(__branch)?;
                    let __answer = Self::confirm(&self, __tx, &key).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("put", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let key: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("key")?;
                    let __answer = Self::cancel(&self, &key).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Shard),
    ::core::file!(), ::core::line!())
}

async fn put_both(shards: &[Arc<Shard>]) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "put_both",
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
                        for shard in shards {
                            shard.put("key").await?;
                        }
                        Ok(())
                    }
                }),
            ),
        )
        .await
}
