//! How a function may stand to the transaction around it, and what else one may be told, by hand.

use std::future::pending;
use std::time::Duration;

use unanimous::{GlobalTransaction, Propagation, Runtime, xid};

use crate::{Accounts, BankError, Letters, Notices, Safes, fees, ledger};

/// The bank's office: everything that the [`Bank`](crate::Bank) does not need.
#[derive(Clone, Debug)]
pub struct Office {
    /// Behind a fence.
    pub accounts: Accounts,
    /// Without one.
    pub notices: std::sync::Arc<Notices>,
    /// Two instances of one type, each behind a fence of its own.
    pub safes: [Safes; 2],
    /// All instances are alike.
    pub letters: Letters,
}

impl Office {
    /// Takes money, and returns what is still held once the commit was carried out: nothing.
    /// `#[global_transactional(settle = "30s")]`
    ///
    /// # Errors
    ///
    /// Whatever keeps the money where it is.
    pub async fn pay_and_wait(&self, user: &str, amount: i64) -> Result<i64, BankError> {
        let transaction = GlobalTransaction::named("pay_and_wait").settle(Duration::from_secs(30));
        let body = async { self.accounts.debit(user, amount).await };
        transaction.run(body).await?.into_result()
    }

    /// Takes money on this runtime, whatever runtime surrounds the call.
    /// `#[global_transactional(runtime = runtime)]`
    ///
    /// # Errors
    ///
    /// As [`pay_and_wait`](Self::pay_and_wait).
    pub async fn pay_on(&self, runtime: &Runtime, user: &str, n: i64) -> Result<i64, BankError> {
        let transaction = GlobalTransaction::named("pay_on").runtime(runtime);
        let body = async { self.accounts.debit(user, n).await };
        transaction.run(body).await?.into_result()
    }

    /// Waits for an answer that never comes. `#[global_transactional(timeout = "20ms")]`
    ///
    /// # Errors
    ///
    /// Always [`unanimous::Error::TimedOut`].
    pub async fn wait(&self) -> Result<(), BankError> {
        let transaction = GlobalTransaction::named("wait").timeout(Duration::from_millis(20));
        transaction.run(pending()).await?.into_result()
    }

    /// Says something, with or without a transaction around it; tells which it was.
    /// `#[global_transactional(propagation = supports)]`
    ///
    /// # Errors
    ///
    /// When there is nothing to say.
    pub async fn remark(&self, text: &str) -> Result<bool, BankError> {
        let either = GlobalTransaction::named("remark").propagation(Propagation::Supports);
        either.run(async { said(text) }).await?.into_result()
    }

    /// The same, and always without one: what surrounds the call is suspended.
    /// `#[global_transactional(propagation = not_supported)]`
    ///
    /// # Errors
    ///
    /// As [`remark`](Self::remark).
    pub async fn whisper(&self, text: &str) -> Result<bool, BankError> {
        let apart = GlobalTransaction::named("whisper").propagation(Propagation::NotSupported);
        apart.run(async { said(text) }).await?.into_result()
    }

    /// The same, and refused inside of one. `#[global_transactional(propagation = never)]`
    ///
    /// # Errors
    ///
    /// As [`remark`](Self::remark); [`unanimous::Error::InTransaction`].
    pub async fn shout(&self, text: &str) -> Result<bool, BankError> {
        let alone = GlobalTransaction::named("shout").propagation(Propagation::Never);
        alone.run(async { said(text) }).await?.into_result()
    }

    /// Joins the transaction around it, or begins one.
    /// `#[global_transactional(propagation = required)]`, which is the default.
    ///
    /// # Errors
    ///
    /// As [`pay_and_wait`](Self::pay_and_wait).
    pub async fn take(&self, user: &str, amount: i64) -> Result<i64, BankError> {
        let joins = GlobalTransaction::named("take").propagation(Propagation::Required);
        let body = async { self.accounts.debit(user, amount).await };
        joins.run(body).await?.into_result()
    }

    /// Talks in all ways inside one transaction, and takes money. `#[global_transactional]`
    ///
    /// # Errors
    ///
    /// As [`pay_and_wait`](Self::pay_and_wait), and where an empty text is remarked or whispered:
    /// what is remarked belongs to the transaction, what is whispered does not.
    pub async fn talk(&self, remark: &str, whisper: &str) -> Result<String, BankError> {
        let body = async {
            let remarked = self.remark(remark).await?;
            let whispered = self.whisper(whisper).await.unwrap_or_default();
            let shouted = unanimous::tolerate(self.shout("loud")).await;
            self.take("ada", 1).await?;
            Ok(format!("{remarked} {whispered} {shouted:?}"))
        };
        let transaction = GlobalTransaction::named("talk");
        transaction.run(body).await?.into_result()
    }

    /// Announces; a complaint about nothing commits.
    /// `#[global_transactional(commit_on(BankError::Notice(why) if why.is_empty()))]`
    ///
    /// # Errors
    ///
    /// The complaint.
    pub async fn complain(&self, why: &str) -> Result<(), BankError> {
        let about_nothing = |result: &Result<(), BankError>| match result {
            Err(BankError::Notice(why)) => why.is_empty(),
            _ => false,
        };
        let body = async {
            self.notices.announce("a complaint").await?;
            Err(BankError::Notice(why.to_owned()))
        };
        let transaction = GlobalTransaction::named("complain");
        let completed = transaction.run_or_commit_on(about_nothing, body).await?;
        completed.into_result()
    }

    /// Moves to new prices in both cities, or in none; returns the prices before.
    /// `#[global_transactional]`
    ///
    /// # Errors
    ///
    /// As [`pay_and_wait`](Self::pay_and_wait).
    pub async fn reprice(&self, door: i64, price: i64) -> Result<String, BankError> {
        let body = async {
            let mut why = Vec::new();
            for city in &self.safes {
                city.reprice(door, price, &mut why).await?;
            }
            // A price that is odd is refused when all is done.
            if price % 2 == 1 {
                return Err(BankError::Notice("an odd price".to_owned()));
            }
            Ok(why.join(", "))
        };
        let transaction = GlobalTransaction::named("reprice");
        transaction.run(body).await?.into_result()
    }

    /// Opens a safe, and rings when that is decided. `#[global_transactional]`
    ///
    /// # Errors
    ///
    /// As [`pay_and_wait`](Self::pay_and_wait).
    pub async fn open(&self, door: i64, user: &str) -> Result<i64, BankError> {
        let body = async {
            let count = self.safes[0].open(door).await?;
            self.safes[0].ring(2, door == 1).await?;
            self.accounts.debit(user, 10).await?;
            Ok(count)
        };
        let transaction = GlobalTransaction::named("open");
        transaction.run(body).await?.into_result()
    }

    /// Writes a letter on an instance that nobody provided. `#[global_transactional]`
    ///
    /// # Errors
    ///
    /// As [`pay_and_wait`](Self::pay_and_wait).
    pub async fn write(&self, to: &str) -> Result<(), BankError> {
        let body = async {
            let another = self.letters.clone();
            another.write(to).await.map_err(BankError::Notice)
        };
        let transaction = GlobalTransaction::named("write");
        transaction.run(body).await?.into_result()
    }

    /// What free functions do: a fee, a stamp and an insurance. `#[global_transactional]`
    ///
    /// # Errors
    ///
    /// As [`pay_and_wait`](Self::pay_and_wait).
    pub async fn register(&self, user: &str, text: &str, door: i64) -> Result<String, BankError> {
        let body = async {
            let left = fees::charge(user, 5).await?;
            let number = fees::stamp(text).await?;
            let count = fees::insure(door).await?;
            Ok(format!("{left} {number} {count}"))
        };
        let transaction = GlobalTransaction::named("register");
        transaction.run(body).await?.into_result()
    }

    /// What is held of everybody's money.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn held(&self) -> Result<i64, sqlx::Error> {
        let balances = ledger::balances(&self.accounts.db).await?;
        Ok(balances.iter().map(|(_, _, held)| held).sum())
    }
}

/// Whether it was said inside a transaction.
fn said(text: &str) -> Result<bool, BankError> {
    if text.is_empty() {
        return Err(BankError::Notice("it says nothing".to_owned()));
    }
    Ok(xid().is_some())
}
