impl Accounts {
    #[allow(clippy::unused_async)]
    async fn confirm(&self, amount: &i64) -> Result<(), Failure> {
        self.journal.confirmed(amount);
        Ok(())
    }
}
