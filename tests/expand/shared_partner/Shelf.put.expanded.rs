impl Shelf {
    async fn put(&self, sku: String) -> Result<usize, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "put",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("sku", &sku),
                ::unanimous::__private::how(),
                async || -> Result<usize, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<usize, Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(format!("put {sku}"));
                        Ok(sku.len())
                    }
                },
            )
            .await
    }
}
