impl Fenced {
    async fn act(self: Arc<Self>, word: &str) -> Result<(), Failure> {
        let __this = ::core::clone::Clone::clone(&self);
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "act",
                        ::core::file!(),
                        0,
                    )
                },
                &*__this,
                ::unanimous::__private::fence_of(&__this.db),
                ::unanimous::__private::Recorder::new().put("word", &word).finish(),
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
                        let moved = self;
                        moved.journal.tried(word);
                        Ok(())
                    }
                },
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(
        self: Arc<Self>,
        tx: &mut FenceTx<Sqlite>,
        word: &str,
    ) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        self.journal.confirmed(word);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(self: Arc<Self>, word: String) -> Result<(), Failure> {
        self.journal.cancelled(word);
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Fenced {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("fenced")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "act",
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
            ("act", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let word: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("word")?;
                    let __tx = ::unanimous::__private::fence_of(&self.db)
                        .transaction(__branch)?;
                    let __answer = Self::confirm(self, __tx, &word).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("act", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let word: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("word")?;
                    let __answer = Self::cancel(self, word).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Fenced),
    ::core::file!(), ::core::line!())
}

impl Unfenced {
    async fn act(self: Arc<Self>, word: String) -> Result<(), Failure> {
        let __this = ::core::clone::Clone::clone(&self);
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "act",
                        ::core::file!(),
                        0,
                    )
                },
                &*__this,
                ::unanimous::__private::Recorder::new().put("word", &word).finish(),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<(), Failure> = loop {};
                            return __returned;
                        }
                        {
                            let moved = self;
                            moved.journal.tried(word);
                            Ok(())
                        }
                    }),
                ),
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(&self, word: &str) -> Result<(), Failure> {
        self.journal.confirmed(word);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(self: Arc<Self>, word: &str) -> Result<(), Failure> {
        self.journal.cancelled(word);
        Ok(())
    }
}
#[automatically_derived]
impl ::unanimous::__private::Participant for Unfenced {
    fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
        ::std::borrow::Cow::Borrowed("unfenced")
    }
    fn actions(&self) -> &'static [::unanimous::__private::ActionSpec] {
        const {
            &[
                ::unanimous::__private::ActionSpec::new(
                    "act",
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
            ("act", ::unanimous::__private::Decision::Commit) => {
                ::std::boxed::Box::pin(async move {
                    let word: String = __branch.argument("word")?;
                    let __answer = Self::confirm(&self, &word).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("act", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let word: String = __branch.argument("word")?;
                    let __answer = Self::cancel(self, &word).await;
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
    ::unanimous::__private::LinkedParticipant::new(::core::stringify!(Unfenced),
    ::core::file!(), ::core::line!())
}

async fn both(
    fenced: &Arc<Fenced>,
    unfenced: &Arc<Unfenced>,
    fails: bool,
) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "both",
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
                        fenced.clone().act("fenced").await?;
                        unfenced.clone().act("unfenced".to_owned()).await?;
                        if fails { Failure::business("fails") } else { Ok(()) }
                    }
                }),
            ),
        )
        .await
}
