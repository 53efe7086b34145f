impl Accounts {
    #[allow(clippy::unused_async)]
    async fn restore(
        &self,
        tx: &mut FenceTx<Sqlite>,
        to: i64,
        before: i64,
        remark: Option<String>,
    ) -> Result<(), Failure> {
        assert_eq!(remark.is_some(), to < before);
        query("UPDATE account SET balance = ?").bind(before).execute(&mut *tx).await?;
        self.journal.cancelled(to);
        Ok(())
    }
}
