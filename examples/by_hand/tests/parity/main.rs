//! The bank by hand and the bank with annotations do the same: the same answers, the same rows, the
//! same branches in the coordinator's list, the same events.

mod annotated;
mod observed;
mod office;
mod versions;

use std::sync::Arc;

use crate::observed::{Observed, World, told};

/// What a customer asks for.
#[derive(Clone, Copy, Debug)]
enum Request {
    Pay(&'static str, i64, &'static str),
    Share(&'static str, i64),
    Together(i64),
    OrOwe(&'static str, i64),
    Carelessly(&'static str, i64),
    Logged(&'static str, i64),
    Again(&'static str),
    Tell(&'static str),
    /// The action by itself, without a transaction.
    Debit(&'static str, i64),
    /// The same for the one without a fence.
    Announce(&'static str),
}

/// Both banks spell their services alike, so each answer is asked for in the same words.
macro_rules! ask {
    ($bank:expr, $request:expr) => {
        match $request {
            Request::Pay(user, amount, text) => told($bank.pay(user, amount, text).await),
            Request::Share(user, amount) => told($bank.share(user, amount).await),
            Request::Together(amount) => told($bank.pay_together(amount).await),
            Request::OrOwe(user, amount) => told($bank.pay_or_owe(user, amount).await),
            Request::Carelessly(user, amount) => told($bank.pay_carelessly(user, amount).await),
            Request::Logged(user, amount) => told($bank.pay_logged(user, amount).await),
            Request::Again(text) => told($bank.pay_again(text).await),
            Request::Tell(text) => told($bank.tell(text).await),
            Request::Debit(user, amount) => told($bank.accounts.debit(user, amount).await),
            Request::Announce(text) => told($bank.notices.announce(text).await),
        }
    };
}

async fn by_hand(requests: &[Request]) -> Observed {
    let bank = by_hand::Bank {
        accounts: by_hand::Accounts {
            db: observed::ledger().await,
        },
        notices: Arc::default(),
    };
    let accounts = Arc::new(bank.accounts.clone());
    let world = World::start(|builder| {
        let builder = builder.participant(accounts);
        builder.participant(bank.notices.clone())
    });
    let world = world.await;
    let mut answers = Vec::new();
    for &request in requests {
        answers.push(world.play(async { ask!(bank, request) }).await);
    }
    let outside = observed::notices(&bank.notices.outbox);
    world.observe(answers, &[bank.accounts.db], outside).await
}

async fn annotated(requests: &[Request]) -> Observed {
    let bank = annotated::Bank {
        accounts: annotated::Accounts {
            db: observed::ledger().await,
        },
        notices: Arc::default(),
    };
    let accounts = Arc::new(bank.accounts.clone());
    let world = World::start(|builder| {
        let builder = builder.participant(accounts);
        builder.participant(bank.notices.clone())
    });
    let world = world.await;
    let mut answers = Vec::new();
    for &request in requests {
        answers.push(world.play(async { ask!(bank, request) }).await);
    }
    let outside = observed::notices(&bank.notices.outbox);
    world.observe(answers, &[bank.accounts.db], outside).await
}

/// Plays the same with both, and returns what both showed.
async fn both(requests: &[Request]) -> Observed {
    let by_hand = Box::pin(by_hand(requests)).await;
    let annotated = Box::pin(annotated(requests)).await;
    assert_eq!(by_hand, annotated, "{requests:?}");
    by_hand
}

#[tokio::test]
async fn a_commit_leaves_the_same() {
    let seen = both(&[Request::Pay("ada", 30, "30 paid")]).await;
    assert_eq!(seen.answers, ["Ok(70)"]);
    assert_eq!(seen.balances[0], ("ada".to_owned(), 70, 0));
    assert!(seen.outside[0].contains("Sent"), "{:?}", seen.outside);
    assert_eq!(seen.fence_rows.len(), 1);
    assert!(seen.listed.contains("Finished None"), "{}", seen.listed);
    assert!(seen.listed.contains("account.debit:1"), "{}", seen.listed);
}

#[tokio::test]
async fn a_rollback_leaves_the_same() {
    let seen = both(&[
        Request::Pay("ben", 30, "30 paid"),
        Request::Pay("ada", 30, ""),
        Request::Together(100),
    ])
    .await;
    assert!(seen.answers[0].contains("NotEnough"), "{:?}", seen.answers);
    assert!(seen.answers[1].contains("Notice"), "{:?}", seen.answers);
    assert!(seen.answers[2].contains("NotEnough"), "{:?}", seen.answers);
    assert_eq!(seen.balances[0], ("ada".to_owned(), 100, 0));
    assert_eq!(seen.balances[1], ("ben".to_owned(), 20, 0));
    assert!(seen.outside.is_empty(), "{:?}", seen.outside);
    assert!(seen.listed.contains("RolledBack"), "{}", seen.listed);
}

#[tokio::test]
async fn propagation_is_the_same() {
    let seen = both(&[
        Request::Share("ada", 1),
        Request::Together(10),
        Request::Logged("ben", 30),
    ])
    .await;
    assert!(
        seen.answers[0].contains("NotInTransaction"),
        "{:?}",
        seen.answers
    );
    assert_eq!(seen.answers[1], "Ok(())");
    assert!(seen.answers[2].contains("NotEnough"), "{:?}", seen.answers);
    assert_eq!(seen.balances[1], ("ben".to_owned(), 15, 0));
    assert!(
        seen.outside[0].contains("somebody pays"),
        "the log stands: {:?}",
        seen.outside
    );
    assert!(
        seen.listed.contains("share:1/account.debit:1"),
        "{}",
        seen.listed
    );
}

#[tokio::test]
async fn tolerated_and_dropped_errors_are_judged_the_same() {
    let seen = both(&[
        Request::OrOwe("ben", 30),
        Request::OrOwe("ben", 5),
        Request::Carelessly("ben", 30),
    ])
    .await;
    assert_eq!(seen.answers[..2], ["Ok(false)", "Ok(true)"]);
    assert!(
        seen.answers[2].contains("RollbackOnly"),
        "{:?}",
        seen.answers
    );
    assert_eq!(seen.balances[1], ("ben".to_owned(), 15, 0));
    assert!(seen.outside[0].contains("owed"), "{:?}", seen.outside);
}

#[tokio::test]
async fn errors_that_commit_and_errors_that_are_mapped_are_the_same() {
    let seen = both(&[
        Request::Again("paid twice"),
        Request::Tell("goodbye"),
        Request::Tell(""),
    ])
    .await;
    assert_eq!(
        seen.answers,
        ["Err(PaidBefore)", "Ok(2)", "Err(\"it says nothing\")"]
    );
    let sent = seen.outside.iter().filter(|notice| notice.contains("Sent"));
    assert_eq!(sent.count(), 2, "{:?}", seen.outside);
}

#[tokio::test]
async fn actions_outside_a_transaction_are_refused_the_same() {
    let seen = both(&[Request::Debit("ada", 1), Request::Announce("hello")]).await;
    assert!(
        seen.answers[0].contains("NotInTransaction"),
        "{:?}",
        seen.answers
    );
    assert!(
        seen.answers[1].contains("needs a global transaction"),
        "{:?}",
        seen.answers
    );
    assert_eq!(seen.listed, "");
}

#[tokio::test]
async fn a_branch_that_is_left_to_a_person_is_told_the_same() {
    let seen = both(&[Request::Pay("eve", 10, "10 paid")]).await;
    assert_eq!(seen.answers, ["Ok(40)"]);
    assert_eq!(seen.balances[2], ("eve".to_owned(), 40, 10));
    let [event] = &seen.events[..] else {
        panic!("one branch is parked: {:?}", seen.events);
    };
    assert!(event.contains("the account of eve is closed"), "{event}");
    assert!(
        seen.fence_rows[0].contains("the account of eve is closed"),
        "{:?}",
        seen.fence_rows
    );
}

/// The comparison sees what it is for: two banks that did different things differ in every part.
#[tokio::test]
async fn different_requests_are_told_apart() {
    let one = by_hand(&[Request::Pay("ada", 30, "30 paid")]).await;
    let other = annotated(&[Request::Pay("eve", 10, "10 paid")]).await;
    assert_ne!(one.answers, other.answers);
    assert_ne!(one.balances, other.balances);
    assert_ne!(one.outside, other.outside);
    assert_ne!(one.fence_rows, other.fence_rows);
    assert_ne!(one.listed, other.listed);
    assert_ne!(one.events, other.events);
}
