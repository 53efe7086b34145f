impl Shelf {
    async fn take(&self, article: &str, note: Option<&str>) -> Result<(), Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "take",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("sku", &article).put("note", &note),
                ::unanimous::__private::how(),
                async || -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(article);
                        if note.is_some() {
                            Failure::business("special wishes")
                        } else {
                            Ok(())
                        }
                    }
                },
            )
            .await
    }
}
