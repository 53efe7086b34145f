impl Accounts {
    #[global_transactional(timeout = "10s")]
    #[must_use = "the outcome"]
    async fn debit(&self, amount: i64) -> Result<i64, Failure> {
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
                async |__lent| -> Result<i64, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<i64, Failure> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        self.journal.tried(amount);
                        Ok(amount)
                    }
                },
            )
            .await
    }
}
