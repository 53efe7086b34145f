impl Drafts {
    /// Nothing happens before the decision.
    async fn announce(&self, word: &str) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "announce",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("word", &word),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        if word == "published" {
                            self.journal.tried(word);
                        }
                        Ok(())
                    }
                },
            )
            .await
    }
}
