impl Accounts {
    async fn debit(&self, amount: i64) -> Result<(), Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "debit",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("amount", &amount),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        let sql = "UPDATE account SET balance = balance - ?";
                        query(sql).bind(amount).execute(&mut *tx).await?;
                        self.journal.tried("debit");
                        Ok(())
                    }
                },
            )
            .await
    }
}
