impl Tickets {
    #[allow(clippy::unused_async)]
    async fn cancel(&self, seats: &[u8], booked: Option<&[u8]>) -> Result<(), Failure> {
        assert_eq!(booked.is_some(), !seats.is_empty());
        self.journal.cancelled(seats.len());
        Ok(())
    }
}
