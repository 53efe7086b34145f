impl Accounts {
    pub(crate) async fn debit(&self, user: &str, amount: i64) -> Result<(), Failure> {
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
                ::unanimous::__private::record()
                    .put("user", &user)
                    .put("amount", &amount),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<(), Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    let tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        let sql = "UPDATE account SET balance = balance - ?1, frozen = frozen + ?1 \
                   WHERE user = ?2 AND balance >= ?1";
                        let done = query(sql)
                            .bind(amount)
                            .bind(user)
                            .execute(&mut *tx)
                            .await?;
                        self.journal.tried(format!("{user} {amount}"));
                        if done.rows_affected() == 0 {
                            return Failure::business("not enough");
                        }
                        Ok(())
                    }
                },
            )
            .await
    }
}
