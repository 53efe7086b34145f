impl Owned {
    async fn record(
        &self,
        mut text: String,
        cow: Cow<'_, str>,
        word: Option<&str>,
        number: Option<&u8>,
    ) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "record",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record()
                    .put("text", &text)
                    .put("cow", &cow)
                    .put("word", &word)
                    .put("number", &number),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(&cow);
                        text.clear();
                        drop(cow);
                        assert_eq!((word, number), (Some("w"), Some(&5)));
                        Ok(())
                    }
                },
            )
            .await
    }
}
