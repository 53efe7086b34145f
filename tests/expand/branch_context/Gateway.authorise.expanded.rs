impl Gateway {
    async fn authorise(&self, amount: u32) -> Result<String, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "authorise",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("amount", &amount),
                ::unanimous::__private::how(),
                async || -> Result<String, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<String, Failure> = loop {};
                        return __returned;
                    }
                    {
                        let context = BranchContext::current()
                            .ok_or(Failure::Business("no branch"))?;
                        self.journal.tried(context.try_key());
                        assert!(amount > 0);
                        Ok(context.try_key())
                    }
                },
            )
            .await
    }
}
