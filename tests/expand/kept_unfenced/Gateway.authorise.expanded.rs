impl Gateway {
    async fn authorise(&self, card: &str) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "authorise",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("card", &card),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(card);
                        let branch = BranchContext::current()
                            .expect("phase one has a branch");
                        branch
                            .keep("authorisation", &[4, 2])
                            .map_err(unanimous::Error::from)?;
                        if card == "expired" {
                            Failure::business("expired")
                        } else {
                            Ok(())
                        }
                    }
                },
            )
            .await
    }
}
