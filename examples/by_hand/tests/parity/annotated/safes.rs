//! Several instances of one type, and actions of every kind.

use by_hand::{BankError, Journal, ledger};
use sqlx::{Sqlite, SqlitePool};
use unanimous::{BranchContext, Error, FenceTx, participant};

#[derive(Clone)]
pub(crate) struct Safes {
    pub(crate) city: &'static str,
    pub(crate) db: SqlitePool,
    pub(crate) journal: Journal,
}

#[participant(name = format!("safe-{}", self.city), fence = self.db, crate = ::unanimous)]
impl Safes {
    #[two_phase_action(name = "price", alias = ["set_price"], commit = none, rollback = restore)]
    pub(crate) async fn reprice(
        &self,
        tx: &mut FenceTx<Sqlite>,
        door: i64,
        #[recorded(name = "amount")] price: i64,
        #[skip] why: &mut Vec<String>,
    ) -> Result<(), BankError> {
        let before = ledger::price(tx, door, price).await?;
        let branch = BranchContext::current();
        let branch = branch.ok_or_else(|| BankError::Notice("no branch".to_owned()))?;
        branch.keep("before", &before).map_err(Error::from)?;
        why.push(format!("was {before}"));
        Ok(())
    }

    async fn restore(
        &self,
        tx: &mut FenceTx<Sqlite>,
        door: i64,
        #[kept] before: i64,
    ) -> Result<(), sqlx::Error> {
        ledger::price(tx, door, before).await.map(drop)
    }

    #[two_phase_action(commit = none, rollback = call_off, always_cancel)]
    pub(crate) async fn open(&self, tx: &mut FenceTx<Sqlite>, door: i64) -> Result<i64, BankError> {
        self.journal.note(format!("locksmith sent to {door}"));
        Ok(ledger::open(tx, door).await?)
    }

    async fn call_off(
        &self,
        door: i64,
        #[tried] count: Option<&i64>,
        branch: &BranchContext,
    ) -> Result<(), BankError> {
        let by = branch.call_id();
        let what = format!("locksmith called off from {door}, {count:?}, by {by}");
        self.journal.note(what);
        Ok(())
    }

    #[two_phase_action(commit = sound, rollback = none, fence = none)]
    pub(crate) async fn ring(
        &self,
        times: u32,
        #[recorded(default)] loud: bool,
    ) -> Result<(), BankError> {
        Ok(())
    }

    async fn sound(&self, times: u32, loud: bool) -> Result<(), BankError> {
        self.journal.note(format!("rings {times}, loud: {loud}"));
        Ok(())
    }
}
