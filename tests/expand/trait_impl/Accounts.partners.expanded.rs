impl Accounts {
    #[allow(clippy::unused_async)]
    /// Moves.
    async fn confirm(
        &self,
        _tx: &mut FenceTx<Sqlite>,
        amount: <Self as AccountService>::Amount,
    ) -> Result<(), Failure> {
        self.journal.confirmed(amount);
        Ok(())
    }
    #[allow(clippy::unused_async)]
    async fn cancel(&self, amount: i64) -> Result<(), Failure> {
        self.journal.cancelled(amount);
        Ok(())
    }
}
