//! Service code with mocked participants.

use std::sync::Arc;

use unanimous::testing::without_coordinator;
use unanimous::{Error, Outcome, RollbackReason, global_transactional};

use crate::participants::{Accounts, Failure};

/// What the service needs of an account.
#[async_trait::async_trait]
trait Account: Send + Sync {
    async fn debit(&self, amount: i64) -> Result<i64, Failure>;
}

struct Rich;

#[async_trait::async_trait]
impl Account for Rich {
    async fn debit(&self, amount: i64) -> Result<i64, Failure> {
        Ok(1_000 - amount)
    }
}

struct Poor;

#[async_trait::async_trait]
impl Account for Poor {
    async fn debit(&self, _: i64) -> Result<i64, Failure> {
        Err("there is not enough".into())
    }
}

#[global_transactional(name = "buy", settle = "5s")]
async fn buy(account: Arc<dyn Account>) -> Result<i64, Failure> {
    account.debit(30).await
}

#[tokio::test]
async fn mocked_participants_need_no_database_and_the_decision_is_returned() {
    let (left, decided) = without_coordinator(buy(Arc::new(Rich))).await;
    assert_eq!(left.expect("it commits"), 970);
    let [decided] = &decided[..] else {
        panic!("{decided:?}")
    };
    assert_eq!(decided.name, "buy");
    assert!(decided.is_commit());

    let (left, decided) = without_coordinator(buy(Arc::new(Poor))).await;
    assert_eq!(
        left.expect_err("it rolls back").to_string(),
        "there is not enough"
    );
    let reason = RollbackReason::Requested;
    assert_eq!(decided[0].outcome, Outcome::RolledBack { reason });
}

#[global_transactional]
async fn pay(accounts: &Accounts) -> Result<i64, Failure> {
    accounts.debit(30).await
}

#[tokio::test]
async fn a_real_action_says_that_it_was_not_provided() {
    let accounts = Accounts::new().await;
    let (left, decided) = without_coordinator(pay(&accounts)).await;
    let error = left.expect_err("nobody provided it");
    let error = Error::find_in(&*error).expect("an error of ours");
    assert!(matches!(error, Error::NotProvided { .. }), "{error}");
    assert!(!decided[0].is_commit());
}
