impl Accounts {
    async fn debit(&self, amount: i64) -> Result<i64, Failure> {
        crate::renamed::__private::run_fenced(
                &const {
                    crate::renamed::__private::ActionSpec::new(
                        "debit",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                crate::renamed::__private::fence_of({ &self.db }),
                crate::renamed::__private::record().put("amount", &amount),
                crate::renamed::__private::how_fenced(),
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
