//! The version that replaces it. `deduct` is now `take`, whose parameter is still recorded as
//! `count`; `charge` records `pieces` where the first version recorded `count`, so that the first
//! one cannot end its branches, and this one ends both.

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
        self.take(pieces).await?;
        self.charge(pieces).await
    }
}

#[participant(name = "stock", fence = self.books.db)]
impl Stock {
    #[two_phase_action(alias = ["deduct"], commit = sell, rollback = put_back)]
    async fn take(
        &self,
        tx: &mut FenceTx<Sqlite>,
        #[recorded(name = "count")] pieces: i64,
    ) -> Result<(), Failure> {
        Books::hold(tx, "shelf", pieces).await
    }

    async fn sell(&self, tx: &mut FenceTx<Sqlite>, pieces: i64) -> Result<(), Failure> {
        self.books.confirm(tx, "shelf", pieces).await
    }

    async fn put_back(&self, tx: &mut FenceTx<Sqlite>, pieces: i64) -> Result<(), Failure> {
        Books::cancel(tx, "shelf", pieces).await
    }

    #[two_phase_action(commit = earn, rollback = repay)]
    async fn charge(
        &self,
        tx: &mut FenceTx<Sqlite>,
        #[recorded(default)] pieces: i64,
    ) -> Result<(), Failure> {
        Books::hold(tx, "purse", pieces).await
    }

    async fn earn(
        &self,
        tx: &mut FenceTx<Sqlite>,
        pieces: i64,
        #[recorded(name = "count", default)] count: i64,
    ) -> Result<(), Failure> {
        self.books.confirm(tx, "purse", pieces + count).await
    }

    async fn repay(
        &self,
        tx: &mut FenceTx<Sqlite>,
        pieces: i64,
        #[recorded(name = "count", default)] count: i64,
    ) -> Result<(), Failure> {
        Books::cancel(tx, "purse", pieces + count).await
    }
}
