impl Mailer {
    async fn prepare(&self, to: &str) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "prepare",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("to", &to),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(to);
                        if to.is_empty() { Failure::business("nobody") } else { Ok(()) }
                    }
                },
            )
            .await
    }
}
