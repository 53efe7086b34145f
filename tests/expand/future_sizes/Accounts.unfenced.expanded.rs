impl Accounts {
    async fn unfenced(&self, data: Kilobyte) -> Result<u8, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "unfenced",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("data", &data),
                ::unanimous::__private::how(),
                async || -> Result<u8, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, Failure> = loop {};
                        return __returned;
                    }
                    {
                        ready(()).await;
                        Ok(data.last())
                    }
                },
            )
            .await
    }
}
