impl Shelf {
    #[allow(clippy::unused_async)]
    async fn put_back(&self, what: String, count: Option<u32>) -> Result<(), Failure> {
        assert_eq!(count, None);
        self.journal.cancelled(what);
        Ok(())
    }
}
