impl Shard {
    async fn put(&self, key: &str) -> Result<(), Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "put",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &*self.pool() }),
                ::unanimous::__private::record().put("key", &key),
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
                        self.journal
                            .tried(format!("{key} in {}", self.number));
                        Ok(())
                    }
                },
            )
            .await
    }
}
