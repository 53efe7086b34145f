//! How a function may stand to the transaction around it, and what else one may be told.

use std::sync::Arc;

use by_hand::{BankError, ledger};
use unanimous::{Runtime, global_transactional, xid};

use super::{Accounts, Letters, Notices, Safes, fees};

pub(crate) struct Office {
    pub(crate) accounts: Accounts,
    pub(crate) notices: Arc<Notices>,
    pub(crate) safes: [Safes; 2],
    pub(crate) letters: Letters,
}

impl Office {
    #[global_transactional(name = "pay_and_wait", settle = "30s")]
    pub(crate) async fn pay_and_wait(&self, user: &str, amount: i64) -> Result<i64, BankError> {
        self.accounts.debit(user, amount).await
    }

    #[global_transactional(name = "pay_on", runtime = runtime)]
    pub(crate) async fn pay_on(
        &self,
        runtime: &Runtime,
        user: &str,
        amount: i64,
    ) -> Result<i64, BankError> {
        self.accounts.debit(user, amount).await
    }

    #[global_transactional(name = "wait", timeout = "20ms")]
    pub(crate) async fn wait(&self) -> Result<(), BankError> {
        std::future::pending().await
    }

    #[global_transactional(name = "remark", propagation = supports)]
    pub(crate) async fn remark(&self, text: &str) -> Result<bool, BankError> {
        said(text)
    }

    #[global_transactional(name = "whisper", propagation = not_supported)]
    pub(crate) async fn whisper(&self, text: &str) -> Result<bool, BankError> {
        said(text)
    }

    #[global_transactional(name = "shout", propagation = never)]
    pub(crate) async fn shout(&self, text: &str) -> Result<bool, BankError> {
        said(text)
    }

    #[global_transactional(name = "take", propagation = required)]
    pub(crate) async fn take(&self, user: &str, amount: i64) -> Result<i64, BankError> {
        self.accounts.debit(user, amount).await
    }

    #[global_transactional(name = "talk")]
    pub(crate) async fn talk(&self, remark: &str, whisper: &str) -> Result<String, BankError> {
        let remarked = self.remark(remark).await?;
        let whispered = self.whisper(whisper).await.unwrap_or_default();
        let shouted = unanimous::tolerate(self.shout("loud")).await;
        self.take("ada", 1).await?;
        Ok(format!("{remarked} {whispered} {shouted:?}"))
    }

    #[global_transactional(
        name = "complain",
        commit_on(BankError::Notice(why) if why.is_empty()),
        crate = ::unanimous
    )]
    pub(crate) async fn complain(&self, why: &str) -> Result<(), BankError> {
        self.notices.announce("a complaint").await?;
        Err(BankError::Notice(why.to_owned()))
    }

    #[global_transactional(name = "reprice")]
    pub(crate) async fn reprice(&self, door: i64, price: i64) -> Result<String, BankError> {
        let mut why = Vec::new();
        for city in &self.safes {
            city.reprice(door, price, &mut why).await?;
        }
        if price % 2 == 1 {
            return Err(BankError::Notice("an odd price".to_owned()));
        }
        Ok(why.join(", "))
    }

    #[global_transactional(name = "open")]
    pub(crate) async fn open(&self, door: i64, user: &str) -> Result<i64, BankError> {
        let count = self.safes[0].open(door).await?;
        self.safes[0].ring(2, door == 1).await?;
        self.accounts.debit(user, 10).await?;
        Ok(count)
    }

    #[global_transactional(name = "write")]
    pub(crate) async fn write(&self, to: &str) -> Result<(), BankError> {
        let another = self.letters.clone();
        another.write(to).await.map_err(BankError::Notice)
    }

    #[global_transactional(name = "register")]
    pub(crate) async fn register(
        &self,
        user: &str,
        text: &str,
        door: i64,
    ) -> Result<String, BankError> {
        let left = fees::charge(user, 5).await?;
        let number = fees::stamp(text).await?;
        let count = fees::insure(door).await?;
        Ok(format!("{left} {number} {count}"))
    }

    pub(crate) async fn held(&self) -> Result<i64, sqlx::Error> {
        let balances = ledger::balances(&self.accounts.db).await?;
        Ok(balances.iter().map(|(_, _, held)| held).sum())
    }
}

fn said(text: &str) -> Result<bool, BankError> {
    if text.is_empty() {
        return Err(BankError::Notice("it says nothing".to_owned()));
    }
    Ok(xid().is_some())
}
