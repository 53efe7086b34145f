impl Accounts {
    async fn debit(&self, amount: i64) -> Result<i64, Failure> {
        crate::renamed::crate_must_name_the_crate_unanimous::run_fenced(
                &const {
                    crate::renamed::crate_must_name_the_crate_unanimous::ActionSpec::new(
                        "debit",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                crate::renamed::crate_must_name_the_crate_unanimous::fence_of({
                    &self.db
                }),
                crate::renamed::crate_must_name_the_crate_unanimous::record()
                    .put("amount", &amount),
                crate::renamed::crate_must_name_the_crate_unanimous::how_fenced(),
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
