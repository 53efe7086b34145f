#[async_trait]
impl AccountService for Accounts {
    async fn debit(&self, user: &str) -> Result<String, Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "debit",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("user", &user),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<String, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<String, Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                        if user == "eve" {
                            return Failure::business("no account");
                        }
                        self.journal.tried(user);
                        Ok(user.to_owned())
                    }
                },
            )
            .await
    }
}
