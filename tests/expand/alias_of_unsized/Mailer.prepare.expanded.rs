impl Mailer {
    async fn prepare(&self, to: &Name, copy: Option<&Name>) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "prepare",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("to", &to).put("copy", &copy),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(copy.unwrap_or(to));
                        Ok(())
                    }
                },
            )
            .await
    }
}
