impl Accounts {
    async fn set(&self, to: i64) -> Result<(), Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "set",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("to", &to),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        let sql = "SELECT balance FROM account";
                        let before: i64 = query_scalar(sql).fetch_one(&mut *tx).await?;
                        let branch = BranchContext::current()
                            .expect("phase one has a branch");
                        branch.keep("before", &before).map_err(unanimous::Error::from)?;
                        if to < before {
                            branch
                                .keep("note", "lower")
                                .map_err(unanimous::Error::from)?;
                        }
                        query("UPDATE account SET balance = ?")
                            .bind(to)
                            .execute(&mut *tx)
                            .await?;
                        self.journal.tried(to);
                        Ok(())
                    }
                },
            )
            .await
    }
}
