impl Mailer {
    /// Reserves a letter.
    async fn prepare(&self, to: String, pages: u32) -> Result<u32, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "prepare",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("to", &to).put("pages", &pages),
                ::unanimous::__private::how(),
                async || -> Result<u32, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u32, Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(&to);
                        if pages > 9 { Failure::business("too long") } else { Ok(pages) }
                    }
                },
            )
            .await
    }
}
