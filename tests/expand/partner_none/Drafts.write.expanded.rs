impl Drafts {
    /// What it wrote stands as it is; only a rollback takes it away.
    async fn write(&self, word: &str) -> Result<(), Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "write",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("word", &word),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                        if word == "erased" {
                            self.journal.tried(word);
                        }
                        Ok(())
                    }
                },
            )
            .await
    }
}
