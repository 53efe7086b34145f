impl Orders {
    #[allow(clippy::unused_async)]
    async fn cancel(
        &self,
        tx: &mut FenceTx<Sqlite>,
        sku: String,
        id: &String,
    ) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        assert!(id.starts_with(&sku));
        self.journal.cancelled(id);
        Ok(())
    }
}
