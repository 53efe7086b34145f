impl Raw {
    #[allow(clippy::used_underscore_binding)]
    async fn r#try(&self, r#type: &str, __branch: u8, tx: u8) -> Result<u8, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "try",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record()
                    .put("type", &r#type)
                    .put("__branch", &__branch)
                    .put("tx", &tx),
                ::unanimous::__private::how(),
                async || -> Result<u8, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(r#type);
                        Ok(__branch + tx)
                    }
                },
            )
            .await
    }
}
