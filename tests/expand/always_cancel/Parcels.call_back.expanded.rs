impl Parcels {
    #[allow(clippy::unused_async)]
    async fn call_back(
        &self,
        tx: &mut FenceTx<Sqlite>,
        city: String,
        number: Option<&u32>,
    ) -> Result<(), Failure> {
        query("UPDATE account SET frozen = frozen + 1").execute(&mut *tx).await?;
        assert_eq!(number.is_none(), city == "Nowhere");
        self.journal.cancelled(city);
        Ok(())
    }
}
