//! Global transactions, by hand.
//!
//! An annotated function is the same function with its body handed to
//! [`GlobalTransaction::run`]: a block that is polled inside the transaction. `Ok` asks for
//! commit; an error, a panic, the deadline or a dropped future rolls back.

use std::sync::Arc;
use std::time::Duration;

use unanimous::{GlobalTransaction, Propagation, tolerate};

use crate::{Accounts, BankError, Notices};

/// The bank's services.
#[derive(Clone, Debug)]
pub struct Bank {
    /// Behind a fence.
    pub accounts: Accounts,
    /// Without one.
    pub notices: Arc<Notices>,
}

impl Bank {
    /// Takes money and says so; returns what is left. `#[global_transactional(timeout = "30s")]`
    ///
    /// # Errors
    ///
    /// Whatever keeps the money where it is; the notice is then withdrawn too.
    pub async fn pay(&self, user: &str, amount: i64, text: &str) -> Result<i64, BankError> {
        let transaction = GlobalTransaction::named("pay").timeout(Duration::from_secs(30));
        let body = async {
            let left = self.accounts.debit(user, amount).await?;
            self.notices.announce(text).await?;
            Ok(left)
        };
        // `run` tells the outcome and what the body returned. What an annotated function returns
        // is both in one: the body's result, unless the transaction failed.
        transaction.run(body).await?.into_result()
    }

    /// Takes money inside the transaction that surrounds it, and refuses without one.
    /// `#[global_transactional(propagation = mandatory)]`
    ///
    /// # Errors
    ///
    /// As [`pay`](Self::pay).
    pub async fn share(&self, user: &str, amount: i64) -> Result<(), BankError> {
        let joins = GlobalTransaction::named("share").propagation(Propagation::Mandatory);
        let body = async { self.accounts.debit(user, amount).await.map(drop) };
        joins.run(body).await?.into_result()
    }

    /// Ada and Ben pay half each, or nobody pays. `#[global_transactional]`
    ///
    /// # Errors
    ///
    /// As [`pay`](Self::pay).
    pub async fn pay_together(&self, amount: i64) -> Result<(), BankError> {
        let body = async {
            self.share("ada", amount / 2).await?;
            self.share("ben", amount - amount / 2).await
        };
        let transaction = GlobalTransaction::named("pay_together");
        transaction.run(body).await?.into_result()
    }

    /// Takes money, or a promise where there is none. A failed call that is not tolerated rolls
    /// the transaction back, also when its error is dropped.
    ///
    /// # Errors
    ///
    /// As [`pay`](Self::pay), but not for want of money.
    pub async fn pay_or_owe(&self, user: &str, amount: i64) -> Result<bool, BankError> {
        let body = async {
            let paid = tolerate(self.accounts.debit(user, amount)).await.is_ok();
            let text = if paid { "paid" } else { "owed" };
            self.notices.announce(text).await?;
            Ok(paid)
        };
        let transaction = GlobalTransaction::named("pay_or_owe");
        transaction.run(body).await?.into_result()
    }

    /// Drops the error of a failed call, which helps nobody: the transaction rolls back.
    ///
    /// # Errors
    ///
    /// [`unanimous::Error::RollbackOnly`] where the money does not suffice.
    pub async fn pay_carelessly(&self, user: &str, amount: i64) -> Result<(), BankError> {
        let body = async {
            let _dropped = self.accounts.debit(user, amount).await;
            Ok(())
        };
        let transaction = GlobalTransaction::named("pay_carelessly");
        transaction.run(body).await?.into_result()
    }

    /// Says that something was tried, in a transaction of its own, which stands whatever becomes
    /// of the one around it. `#[global_transactional(propagation = requires_new)]`
    ///
    /// # Errors
    ///
    /// When the notice is not taken.
    pub async fn log(&self, text: &str) -> Result<(), BankError> {
        let own = GlobalTransaction::named("log").propagation(Propagation::RequiresNew);
        let body = async {
            self.notices.announce(text).await?;
            Ok(())
        };
        own.run(body).await?.into_result()
    }

    /// Logs, and then pays. `#[global_transactional]`
    ///
    /// # Errors
    ///
    /// As [`pay`](Self::pay); the log stands.
    pub async fn pay_logged(&self, user: &str, amount: i64) -> Result<(), BankError> {
        let body = async {
            self.log("somebody pays").await?;
            self.accounts.debit(user, amount).await.map(drop)
        };
        let transaction = GlobalTransaction::named("pay_logged");
        transaction.run(body).await?.into_result()
    }

    /// Counts a payment that was made before, and commits all the same.
    /// `#[global_transactional(commit_on(BankError::PaidBefore))]`
    ///
    /// # Errors
    ///
    /// Always [`BankError::PaidBefore`], unless the transaction fails.
    pub async fn pay_again(&self, text: &str) -> Result<(), BankError> {
        let body = async {
            self.notices.announce(text).await?;
            Err(BankError::PaidBefore)
        };
        let transaction = GlobalTransaction::named("pay_again");
        let paid_before =
            |result: &Result<(), BankError>| matches!(result, Err(BankError::PaidBefore));
        let completed = transaction.run_or_commit_on(paid_before, body).await?;
        completed.into_result()
    }

    /// Announces with an error type that cannot hold ours.
    /// `#[global_transactional(map_err = |error| error.to_string())]`
    ///
    /// # Errors
    ///
    /// As text.
    pub async fn tell(&self, text: &str) -> Result<u64, String> {
        let transaction = GlobalTransaction::named("tell");
        match transaction.run(self.notices.announce(text)).await {
            Ok(completed) => completed.into_result_or(|error| error.to_string()),
            // It never began.
            Err(error) => Err(error.to_string()),
        }
    }
}
