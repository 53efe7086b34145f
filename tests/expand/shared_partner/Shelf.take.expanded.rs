impl Shelf {
    async fn take(&self, sku: &str, count: u32) -> Result<u32, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "take",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("sku", &sku).put("count", &count),
                ::unanimous::__private::how(),
                async || -> Result<u32, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u32, Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(format!("take {sku}"));
                        Ok(count)
                    }
                },
            )
            .await
    }
}
