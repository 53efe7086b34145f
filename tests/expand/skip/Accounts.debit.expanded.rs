impl Accounts {
    async fn debit<T: Display + Send>(
        &self,
        reason: impl Display + Send,
        log: &mut Vec<String>,
        amount: i64,
        (first, second): (T, &(dyn Fn() -> u8 + Sync)),
    ) -> Result<(), Failure> {
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
                        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                        log.push(format!("{reason}, {first}, {}", second()));
                        self.journal.tried(amount);
                        Ok(())
                    }
                },
            )
            .await
    }
}
