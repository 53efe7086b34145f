impl Accounts {
    #[allow(clippy::unused_async)]
    async fn confirm(&self, user: &str) -> Result<(), Failure> {
        self.journal.confirmed(user);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, user: &str) -> Result<(), Failure> {
        self.journal.cancelled(user);
        Ok(())
    }
}
