impl Accounts {
    pub(crate) async fn debit(&self, user: &str, amount: i64) -> Result<(), Failure> {
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
                ::unanimous::__private::Recorder::new()
                    .put("user", &user)
                    .put("amount", &amount)
                    .finish(),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        let sql = "UPDATE account SET balance = balance - ?1, frozen = frozen + ?1 \
                   WHERE user = ?2 AND balance >= ?1";
                        let done = query(sql)
                            .bind(amount)
                            .bind(user)
                            .execute(&mut *tx)
                            .await?;
                        self.journal.tried(format!("{user} {amount}"));
                        if done.rows_affected() == 0 {
                            return Failure::business("not enough");
                        }
                        Ok(())
                    }
                },
            )
            .await
    }
    #[allow(clippy::unused_async)]
    async fn confirm(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), Failure> {
        let sql = "UPDATE account SET frozen = frozen - ? WHERE user = ?";
        query(sql).bind(amount).bind(user).execute(&mut *tx).await?;
        self.journal.confirmed(format!("{user} {amount}"));
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(
        &self,
        amount: i64,
        user: String,
        tx: &mut FenceTx<Sqlite>,
    ) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance + ?1, frozen = frozen - ?1 WHERE user = ?2";
        query(sql).bind(amount).bind(&user).execute(&mut *tx).await?;
        self.journal.cancelled(format!("{user} {amount}"));
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
                    let user: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("user")?;
                    let amount: i64 = __branch.argument("amount")?;
                    let __tx = ::unanimous::__private::fence_of(&self.db)
                        .transaction(__branch)?;
                    let __answer = Self::confirm(&self, __tx, &user, amount).await;
                    ::unanimous::__private::ended(__answer)
                })
            }
            ("debit", ::unanimous::__private::Decision::Rollback) => {
                ::std::boxed::Box::pin(async move {
                    let amount: i64 = __branch.argument("amount")?;
                    let user: <str as ::std::borrow::ToOwned>::Owned = __branch
                        .argument("user")?;
                    let __tx = ::unanimous::__private::fence_of(&self.db)
                        .transaction(__branch)?;
                    let __answer = Self::cancel(&self, amount, user, __tx).await;
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

async fn pay(accounts: &Accounts, amount: i64, sold_out: bool) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "pay",
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
                        accounts.debit("ann", amount).await?;
                        if sold_out { Failure::business("sold out") } else { Ok(()) }
                    }
                }),
            ),
        )
        .await
}
