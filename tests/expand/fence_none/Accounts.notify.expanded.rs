impl Accounts {
    async fn notify(&self, amount: i64, log: &mut Vec<i64>) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "notify",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("amount", &amount),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        log.push(amount);
                        self.journal.tried("notify");
                        Ok(())
                    }
                },
            )
            .await
    }
}
