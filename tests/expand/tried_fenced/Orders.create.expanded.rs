impl Orders {
    async fn create(&self, sku: &str) -> Result<String, Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "create",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("sku", &sku),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<String, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<String, Failure> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        let id = format!("{sku}-1");
                        self.journal.tried(&id);
                        Ok(id)
                    }
                },
            )
            .await
    }
}
