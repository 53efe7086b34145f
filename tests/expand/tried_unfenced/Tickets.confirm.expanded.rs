impl Tickets {
    #[allow(clippy::unused_async)]
    async fn confirm(&self, booked: &[u8]) -> Result<(), Failure> {
        self.journal.confirmed(booked.len());
        Ok(())
    }
}
