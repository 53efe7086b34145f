impl Gateway {
    #[allow(clippy::unused_async)]
    async fn release(
        &self,
        authorisation: Option<&Vec<u8>>,
        card: String,
    ) -> Result<(), Failure> {
        assert_eq!(authorisation.is_none(), card == "expired");
        self.journal.cancelled(card);
        Ok(())
    }
}
