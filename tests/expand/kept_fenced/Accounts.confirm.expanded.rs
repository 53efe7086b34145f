impl Accounts {
    #[allow(clippy::unused_async)]
    async fn confirm(&self, to: i64, note: Option<&str>) -> Result<(), Failure> {
        assert_eq!(note, (to < 100).then_some("lower"));
        self.journal.confirmed(to);
        Ok(())
    }
}
