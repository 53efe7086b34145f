//! The version that runs everywhere before the deployment.

use unanimous::sqlx::Sqlite;
use unanimous::{FenceTx, participant};

use crate::books::{Books, Failure};

pub(crate) struct Stock {
    books: Books,
}

impl Stock {
    pub(crate) fn new(books: Books) -> Self {
        Self { books }
    }
}

impl crate::Stock for Stock {
    async fn take_and_charge(&self, pieces: i64) -> Result<(), Failure> {
        self.deduct(pieces).await?;
        self.charge(pieces).await
    }
}

#[participant(name = "stock", fence = self.books.db)]
impl Stock {
    #[two_phase_action(commit = sell, rollback = put_back)]
    async fn deduct(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        Books::hold(tx, "shelf", count).await
    }

    async fn sell(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        self.books.confirm(tx, "shelf", count).await
    }

    async fn put_back(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        Books::cancel(tx, "shelf", count).await
    }

    #[two_phase_action(commit = earn, rollback = repay)]
    async fn charge(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        Books::hold(tx, "purse", count).await
    }

    async fn earn(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        self.books.confirm(tx, "purse", count).await
    }

    async fn repay(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        Books::cancel(tx, "purse", count).await
    }
}
