//! The bank with annotations: the same tables and statements, the same names.

pub(crate) mod fees;
mod letters;
mod office;
mod safes;

use std::sync::Arc;

use by_hand::{BankError, Outbox, ledger};
use sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, PhaseTwoError, global_transactional, participant, tolerate};

pub(crate) use letters::Letters;
pub(crate) use office::Office;
pub(crate) use safes::Safes;

#[derive(Clone)]
pub(crate) struct Accounts {
    pub(crate) db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn debit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<i64, BankError> {
        ledger::hold(tx, user, amount).await
    }

    async fn confirm(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), PhaseTwoError> {
        ledger::spend(tx, user, amount).await
    }

    async fn cancel(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), sqlx::Error> {
        ledger::release(tx, user, amount).await
    }
}

#[derive(Default)]
pub(crate) struct Notices {
    pub(crate) outbox: Outbox,
}

#[participant(name = "notice", map_err = |error| error.to_string())]
impl Notices {
    #[two_phase_action(commit = send, rollback = withdraw)]
    pub(crate) async fn announce(&self, text: &str) -> Result<u64, String> {
        self.outbox.draft(text)
    }

    async fn send(&self, #[tried] number: &u64) -> Result<(), String> {
        self.outbox.send(*number);
        Ok(())
    }

    async fn withdraw(&self, #[tried] number: Option<&u64>) -> Result<(), String> {
        if let Some(number) = number {
            self.outbox.withdraw(*number);
        }
        Ok(())
    }
}

pub(crate) struct Bank {
    pub(crate) accounts: Accounts,
    pub(crate) notices: Arc<Notices>,
}

impl Bank {
    #[global_transactional(name = "pay", timeout = "30s")]
    pub(crate) async fn pay(&self, user: &str, amount: i64, text: &str) -> Result<i64, BankError> {
        let left = self.accounts.debit(user, amount).await?;
        self.notices.announce(text).await?;
        Ok(left)
    }

    #[global_transactional(name = "share", propagation = mandatory)]
    pub(crate) async fn share(&self, user: &str, amount: i64) -> Result<(), BankError> {
        self.accounts.debit(user, amount).await.map(drop)
    }

    #[global_transactional(name = "pay_together")]
    pub(crate) async fn pay_together(&self, amount: i64) -> Result<(), BankError> {
        self.share("ada", amount / 2).await?;
        self.share("ben", amount - amount / 2).await
    }

    #[global_transactional(name = "pay_or_owe")]
    pub(crate) async fn pay_or_owe(&self, user: &str, amount: i64) -> Result<bool, BankError> {
        let paid = tolerate(self.accounts.debit(user, amount)).await.is_ok();
        let text = if paid { "paid" } else { "owed" };
        self.notices.announce(text).await?;
        Ok(paid)
    }

    #[global_transactional(name = "pay_carelessly")]
    pub(crate) async fn pay_carelessly(&self, user: &str, amount: i64) -> Result<(), BankError> {
        let _dropped = self.accounts.debit(user, amount).await;
        Ok(())
    }

    #[global_transactional(name = "log", propagation = requires_new)]
    pub(crate) async fn log(&self, text: &str) -> Result<(), BankError> {
        self.notices.announce(text).await?;
        Ok(())
    }

    #[global_transactional(name = "pay_logged")]
    pub(crate) async fn pay_logged(&self, user: &str, amount: i64) -> Result<(), BankError> {
        self.log("somebody pays").await?;
        self.accounts.debit(user, amount).await.map(drop)
    }

    #[global_transactional(name = "pay_again", commit_on(BankError::PaidBefore))]
    pub(crate) async fn pay_again(&self, text: &str) -> Result<(), BankError> {
        self.notices.announce(text).await?;
        Err(BankError::PaidBefore)
    }

    #[global_transactional(name = "tell", map_err = |error: unanimous::Error| error.to_string())]
    pub(crate) async fn tell(&self, text: &str) -> Result<u64, String> {
        self.notices.announce(text).await
    }
}
