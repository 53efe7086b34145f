//! The office by hand and with annotations: the other kinds of propagation, actions of every kind,
//! and free functions.

use std::sync::Arc;

use by_hand::Journal;
use sqlx::SqlitePool;
use unanimous::Runtime;

use crate::observed::{self, Observed, World, told};

/// What is asked of the office.
#[derive(Clone, Copy, Debug)]
enum Request {
    PayAndWait(&'static str, i64),
    /// On the office's runtime, where another one surrounds the call.
    PayElsewhere(&'static str, i64),
    Wait,
    Remark(&'static str),
    Whisper(&'static str),
    Shout(&'static str),
    Talk(&'static str, &'static str),
    Complain(&'static str),
    Reprice(i64, i64),
    Open(i64, &'static str),
    Write(&'static str),
    Register(&'static str, &'static str, i64),
    /// Actions by themselves, without a transaction.
    RingAlone,
    WriteAlone,
    ChargeAlone,
    StampAlone,
}

/// One version of the office, and how it is asked; both are spelled alike.
macro_rules! version {
    ($name:ident, $($bank:tt)+) => {
        mod $name {
            use $($bank)+ as bank;

            use super::*;

            pub(super) async fn play(requests: &[Request]) -> Observed {
                let (journal, ledgers) = (Journal::default(), ledgers().await);
                let office = office(&ledgers, &journal);
                let world = start(&office, &journal).await;
                let nobody = Runtime::builder().coordinator("memory:").build().await;
                let nobody = nobody.expect("a runtime in memory can be built");
                let mut answers = Vec::new();
                for &request in requests {
                    let answer = Box::pin(ask(&office, &nobody, world.runtime(), request));
                    answers.push(world.play(answer).await);
                }
                let mut outside = journal.all();
                outside.extend(observed::notices(&office.notices.outbox));
                world.observe(answers, &ledgers, outside).await
            }

            fn office([main, rome]: &[SqlitePool; 2], journal: &Journal) -> bank::Office {
                let safes = |city, db: &SqlitePool| bank::Safes {
                    city,
                    db: db.clone(),
                    journal: journal.clone(),
                };
                bank::Office {
                    accounts: bank::Accounts { db: main.clone() },
                    notices: Arc::default(),
                    safes: [safes("Paris", main), safes("Rome", rome)],
                    letters: bank::Letters {
                        journal: journal.clone(),
                    },
                }
            }

            async fn start(office: &bank::Office, journal: &Journal) -> World {
                let [paris, rome] = office.safes.clone();
                let describe = |builder: unanimous::RuntimeBuilder| {
                    builder
                        .participant(Arc::new(office.accounts.clone()))
                        .participant(office.notices.clone())
                        .participant(Arc::new(paris))
                        .participant(Arc::new(rome))
                        .participant(Arc::new(office.letters.clone()))
                        .state(office.accounts.db.clone())
                        .state(journal.clone())
                        .action(bank::fees::charge)
                        .action(bank::fees::stamp)
                        .action(bank::fees::insure)
                };
                World::start(describe).await
            }

            async fn ask(
                office: &bank::Office,
                nobody: &Runtime,
                own: &Runtime,
                request: Request,
            ) -> String {
                match request {
                    Request::PayAndWait(user, amount) => {
                        let paid = told(office.pay_and_wait(user, amount).await);
                        format!("{paid}, held {:?}", office.held().await.ok())
                    }
                    Request::PayElsewhere(user, amount) => {
                        told(nobody.scope(office.pay_on(own, user, amount)).await)
                    }
                    Request::Wait => told(office.wait().await),
                    Request::Remark(text) => told(office.remark(text).await),
                    Request::Whisper(text) => told(office.whisper(text).await),
                    Request::Shout(text) => told(office.shout(text).await),
                    Request::Talk(remark, whisper) => told(office.talk(remark, whisper).await),
                    Request::Complain(why) => told(office.complain(why).await),
                    Request::Reprice(door, price) => told(office.reprice(door, price).await),
                    Request::Open(door, user) => told(office.open(door, user).await),
                    Request::Write(to) => told(office.write(to).await),
                    Request::Register(user, text, door) => {
                        told(office.register(user, text, door).await)
                    }
                    Request::RingAlone => told(office.safes[0].ring(1, true).await),
                    Request::WriteAlone => told(office.letters.write("ann").await),
                    Request::ChargeAlone => told(bank::fees::charge("ada", 1).await),
                    Request::StampAlone => told(bank::fees::stamp("a paper").await),
                }
            }
        }
    };
}

version!(by_hand_version, ::by_hand);
version!(annotated_version, crate::annotated);

async fn ledgers() -> [SqlitePool; 2] {
    [observed::ledger().await, observed::ledger().await]
}

/// Plays the same with both, and returns what both showed.
async fn both(requests: &[Request]) -> Observed {
    let by_hand = Box::pin(by_hand_version::play(requests)).await;
    let annotated = Box::pin(annotated_version::play(requests)).await;
    assert_eq!(by_hand, annotated, "{requests:?}");
    by_hand
}

#[tokio::test]
async fn waiting_for_the_branches_and_another_runtime_are_the_same() {
    let seen = both(&[
        Request::PayAndWait("ada", 30),
        Request::PayElsewhere("ada", 10),
        Request::PayElsewhere("ben", 30),
    ])
    .await;
    assert_eq!(seen.answers[..2], ["Ok(70), held Some(0)", "Ok(60)"]);
    assert!(seen.answers[2].contains("NotEnough"), "{:?}", seen.answers);
    assert!(seen.listed.contains("pay_on by bank"), "{}", seen.listed);
}

/// Who notices first that time is over, the caller or the coordinator, is not told.
#[tokio::test]
async fn a_deadline_is_the_same() {
    let by_hand = Box::pin(by_hand_version::play(&[Request::Wait])).await;
    let annotated = Box::pin(annotated_version::play(&[Request::Wait])).await;
    assert_eq!(by_hand.answers, annotated.answers);
    assert!(
        by_hand.answers[0].contains("TimedOut"),
        "{:?}",
        by_hand.answers
    );
    for seen in [by_hand, annotated] {
        assert!(
            seen.listed.starts_with("wait by bank: RolledBack"),
            "{}",
            seen.listed
        );
    }
}

#[tokio::test]
async fn what_runs_without_a_transaction_is_the_same() {
    let seen = both(&[
        Request::Remark("a remark"),
        Request::Remark(""),
        Request::Whisper("a whisper"),
        Request::Whisper(""),
        Request::Shout("a shout"),
        Request::Shout(""),
    ])
    .await;
    for answers in seen.answers.chunks(2) {
        assert_eq!(answers[0], "Ok(false)");
        assert!(answers[1].contains("it says nothing"), "{answers:?}");
    }
    assert_eq!(seen.listed, "", "none of them begins one");
}

#[tokio::test]
async fn what_runs_inside_a_transaction_is_the_same() {
    let seen = both(&[
        Request::Talk("a remark", "a whisper"),
        // What is whispered does not belong to the transaction, so its failure does not either.
        Request::Talk("a remark", ""),
        Request::Talk("", "a whisper"),
    ])
    .await;
    for answer in &seen.answers[..2] {
        assert!(answer.contains("true false Err"), "{answer}");
        assert!(answer.contains("InTransaction"), "{answer}");
    }
    assert!(
        seen.answers[2].contains("it says nothing"),
        "{:?}",
        seen.answers
    );
    assert_eq!(seen.balances[0], ("ada".to_owned(), 98, 0));
    assert!(
        seen.listed.contains("take:1/account.debit:1"),
        "{}",
        seen.listed
    );
}

#[tokio::test]
async fn errors_that_commit_under_a_condition_are_the_same() {
    let seen = both(&[Request::Complain(""), Request::Complain("the queue")]).await;
    assert!(seen.answers[1].contains("the queue"), "{:?}", seen.answers);
    assert_eq!(seen.outside, ["(\"a complaint\", Sent)"]);
    assert!(seen.listed.contains("RolledBack"), "{}", seen.listed);
}

#[tokio::test]
async fn what_is_kept_and_what_is_not_recorded_are_the_same() {
    let seen = both(&[Request::Reprice(1, 30), Request::Reprice(2, 31)]).await;
    assert_eq!(seen.answers[0], "Ok(\"was 10, was 10\")");
    assert!(
        seen.answers[1].contains("an odd price"),
        "{:?}",
        seen.answers
    );
    // Both cities: the first was committed, the second taken back to what was kept.
    let expected = [(1, 30, 0), (2, 20, 0)];
    assert_eq!(seen.safes, [expected, expected].concat());
    let rows = seen.fence_rows.join("\n");
    assert!(
        rows.contains("amount"),
        "recorded under its old name: {rows}"
    );
    assert!(rows.contains("before"), "kept: {rows}");
    assert!(!rows.contains("why"), "not recorded: {rows}");
    assert!(
        rows.contains("safe-Paris") && rows.contains("safe-Rome"),
        "{rows}"
    );
}

#[tokio::test]
async fn effects_outside_the_database_are_called_off_the_same() {
    let seen = both(&[
        Request::Open(1, "ada"),
        // Ben's money does not suffice after the second time.
        Request::Open(2, "ben"),
        Request::Open(2, "ben"),
        Request::Open(2, "ben"),
        // No such door: the local transaction leaves no row.
        Request::Open(9, "ada"),
    ])
    .await;
    assert_eq!(seen.answers[..3], ["Ok(1)", "Ok(1)", "Ok(2)"]);
    assert!(seen.answers[3].contains("NotEnough"), "{:?}", seen.answers);
    assert!(
        seen.answers[4].contains("RowNotFound"),
        "{:?}",
        seen.answers
    );
    let outside = seen.outside.join("\n");
    assert!(
        outside.contains("called off from 2, Some(3), by safe-Paris.open:1"),
        "{outside}"
    );
    assert!(
        outside.contains("called off from 9, None, by safe-Paris.open:1"),
        "{outside}"
    );
    assert!(outside.contains("rings 2, loud: true"), "{outside}");
    assert_eq!(outside.matches("rings").count(), 3, "{outside}");
    assert!(seen.listed.contains("AlwaysCancel"), "{}", seen.listed);
    assert!(seen.listed.contains("Unfenced"), "{}", seen.listed);
}

#[tokio::test]
async fn instances_that_are_all_alike_are_the_same() {
    let seen = both(&[Request::Write("ann"), Request::Write("")]).await;
    assert_eq!(seen.answers[0], "Ok(())");
    assert!(seen.answers[1].contains("to whom?"), "{:?}", seen.answers);
    assert_eq!(seen.outside, ["posted to ann"]);
}

#[tokio::test]
async fn free_functions_are_the_same() {
    let seen = both(&[
        Request::Register("ada", "a deed", 1),
        Request::Register("ben", "", 1),
        Request::Register("ben", "a deed", 9),
        Request::Register("eve", "a deed", 2),
    ])
    .await;
    assert_eq!(seen.answers[0], "Ok(\"95 0 1\")");
    assert!(
        seen.answers[1].contains("nothing to stamp"),
        "{:?}",
        seen.answers
    );
    assert!(
        seen.answers[2].contains("RowNotFound"),
        "{:?}",
        seen.answers
    );
    assert_eq!(seen.balances[0], ("ada".to_owned(), 95, 0));
    assert_eq!(seen.balances[1], ("ben".to_owned(), 20, 0));
    assert_eq!(seen.balances[2], ("eve".to_owned(), 45, 5));
    let outside = seen.outside.join("\n");
    assert_eq!(outside.matches("peeled").count(), 1, "{outside}");
    assert!(
        outside.contains("no insurance, None, by fee.insure:1"),
        "{outside}"
    );
    assert!(
        seen.events[0].contains("the account of eve is closed"),
        "{:?}",
        seen.events
    );
}

#[tokio::test]
async fn actions_of_every_kind_are_refused_outside_a_transaction_the_same() {
    let seen = both(&[
        Request::RingAlone,
        Request::WriteAlone,
        Request::ChargeAlone,
        Request::StampAlone,
    ])
    .await;
    for answer in &seen.answers {
        let refused = answer.contains("NotInTransaction") || answer.contains("needs a global");
        assert!(refused, "{answer}");
    }
    assert!(seen.outside.is_empty(), "{:?}", seen.outside);
}
