impl Orders {
    #[allow(clippy::unused_async)]
    async fn confirm(&self, id: &str) -> Result<(), Failure> {
        self.journal.confirmed(id);
        Ok(())
    }
}
