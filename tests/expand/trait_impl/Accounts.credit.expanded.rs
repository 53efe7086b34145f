impl AccountService for Accounts {
    #[allow(clippy::manual_async_fn)]
    fn credit(&self, amount: i64) -> impl Future<Output = Result<i64, Failure>> + Send {
        async move {
            ::unanimous::__private::run_fenced(
                    &const {
                        ::unanimous::__private::ActionSpec::new(
                            "credit",
                            ::core::file!(),
                            0,
                        )
                    },
                    self,
                    ::unanimous::__private::fence_of({ &self.db }),
                    ::unanimous::__private::record().put("amount", &amount),
                    ::unanimous::__private::how_fenced(),
                    async |__lent| -> Result<i64, Failure> {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<i64, Failure> = loop {};
                            return __returned;
                        }
                        let tx: &mut FenceTx<Sqlite> = __lent;
                        {
                            unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                            self.journal.tried(amount);
                            Ok(amount)
                        }
                    },
                )
                .await
        }
    }
}
