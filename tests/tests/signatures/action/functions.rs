//! Free functions: every form in which a parameter is recorded and passed by position, what a list
//! may pass, and where state and fence come from.

#![allow(
    clippy::unused_async,
    reason = "the partner of a free function is async, also where it waits for nothing"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use unanimous::sqlx::{Sqlite, SqlitePool, query};
use unanimous::{BranchContext, FenceTx, RuntimeBuilder, two_phase_action};

use crate::Ending;
use crate::action::transaction;
use crate::world::{Failure, Journal, World, account, database};

/// Provides actions, and calls one of them inside a transaction that ends so.
async fn run(
    ending: Ending,
    set: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    call: impl Future<Output = Result<(), Failure>>,
) {
    let world = World::with_actions(|builder, journal| set(builder.state(journal.clone()))).await;
    ending.of(&world, transaction(call, ending)).await;
}

/// One shape: an action that hands `$name` to both partners by position, and a run of it. The type
/// arrives as the tokens that a person writes, except in `function_type_of_a_macro`.
macro_rules! by_position {
    ($shape:ident, $name:ident: [$($ty:tt)+], $passed:expr) => {
        pub(crate) async fn $shape(ending: Ending) {
            #[two_phase_action(commit = confirm, rollback = cancel)]
            async fn act(#[state] journal: &Journal, $name: $($ty)+) -> Result<(), Failure> {
                journal.tried(format!("{:?}", $name));
                Ok(())
            }

            async fn confirm(journal: &Journal, $name: $($ty)+) -> Result<(), Failure> {
                journal.confirmed(format!("{:?}", $name));
                Ok(())
            }

            async fn cancel(journal: &Journal, $name: $($ty)+) -> Result<(), Failure> {
                journal.cancelled(format!("{:?}", $name));
                Ok(())
            }

            run(ending, |builder| builder.action(act), async { act($passed).await }).await;
        }
    };
}

macro_rules! by_position_type {
    ($shape:ident, $name:ident: $ty:ty, $passed:expr) => {
        by_position!($shape, $name: [$ty], $passed);
    };
}

by_position!(function_owned, text: [String], "a".to_owned());
by_position!(function_array, bytes: [[u8; 3]], [1, 2, 3]);
by_position!(function_owned_option, count: [Option<u8>], Some(1));
by_position!(function_lent_str, text: [&str], "a");
by_position!(function_lent_slice, words: [&[String]], &["a".to_owned()]);
by_position!(function_lent_type, counts: [&BTreeMap<String, u8>], &BTreeMap::from([("a".to_owned(), 1)]));
by_position!(function_optional_lent_str, text: [Option<&str>], Some("a"));
by_position!(function_optional_lent_type, count: [Option<&u8>], Some(&1));
by_position!(function_copy_on_write, text: [Cow<'_, str>], Cow::Borrowed("a"));
by_position!(function_raw_identifiers, r#type: [&str], "a");
by_position!(function_named_like_our_locals, __branch: [&str], "a");
by_position_type!(function_type_of_a_macro, text: &str, "a");

/// A list passes expressions over the parameters, what phase one returned, and the branch.
pub(crate) async fn function_listed(ending: Ending) {
    #[two_phase_action(
        commit = confirm(journal, format!("{from}-{to}"), *tried, branch),
        rollback = cancel(&journal.clone(), to, from.len())
    )]
    async fn act(#[state] journal: &Journal, from: &str, to: &str) -> Result<u8, Failure> {
        journal.tried(format!("{from}-{to}"));
        Ok(7)
    }

    async fn confirm(
        journal: &Journal,
        what: String,
        tried: u8,
        branch: &BranchContext,
    ) -> Result<(), Failure> {
        assert_eq!(tried, 7);
        assert!(branch.decision().is_some());
        journal.confirmed(what);
        Ok(())
    }

    async fn cancel(journal: &Journal, to: &str, from: usize) -> Result<(), Failure> {
        assert_eq!(from, 1);
        journal.cancelled(format!("a-{to}"));
        Ok(())
    }

    run(ending, |builder| builder.action(act), async {
        act("a", "b").await.map(drop)
    })
    .await;
}

/// State that is owned is a clone of what the runtime has; one that is not needed is left out.
pub(crate) async fn function_owned_state(ending: Ending) {
    #[two_phase_action(commit = confirm, rollback = cancel(journal, count))]
    async fn act(
        #[state] journal: Journal,
        #[state] limit: &u64,
        count: u8,
    ) -> Result<(), Failure> {
        assert_eq!(*limit, 9);
        journal.tried(count);
        Ok(())
    }

    async fn confirm(journal: Journal, limit: &u64, count: u8) -> Result<(), Failure> {
        assert_eq!(*limit, 9);
        journal.confirmed(count);
        Ok(())
    }

    async fn cancel(journal: Journal, count: u8) -> Result<(), Failure> {
        journal.cancelled(count);
        Ok(())
    }

    run(ending, |builder| builder.state(9_u64).action(act), async {
        act(3).await
    })
    .await;
}

pub(crate) async fn function_fenced(ending: Ending) {
    #[two_phase_action(commit = spend, rollback = thaw, fence = db)]
    async fn freeze(
        tx: &mut FenceTx<Sqlite>,
        #[state] db: &SqlitePool,
        #[state] journal: &Journal,
        amount: i64,
    ) -> Result<(), Failure> {
        assert!(!db.is_closed());
        let sql = "UPDATE account SET balance = balance - ?1, frozen = frozen + ?1";
        query(sql).bind(amount).execute(&mut *tx).await?;
        journal.tried(amount);
        Ok(())
    }

    async fn spend(
        tx: &mut FenceTx<Sqlite>,
        _: &SqlitePool,
        journal: &Journal,
        amount: i64,
    ) -> Result<(), Failure> {
        let sql = "UPDATE account SET frozen = frozen - ?";
        query(sql).bind(amount).execute(&mut *tx).await?;
        journal.confirmed(amount);
        Ok(())
    }

    async fn thaw(
        tx: &mut FenceTx<Sqlite>,
        _: &SqlitePool,
        journal: &Journal,
        amount: i64,
    ) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance + ?1, frozen = frozen - ?1";
        query(sql).bind(amount).execute(&mut *tx).await?;
        journal.cancelled(amount);
        Ok(())
    }

    let db = database().await;
    let provided = db.clone();
    run(
        ending,
        |builder| builder.state(provided).action(freeze),
        async { freeze(30).await },
    )
    .await;
    let expected = if ending.fails() { (100, 0) } else { (70, 0) };
    assert_eq!(account(&db).await, expected);
}

/// What is skipped has any type, also one that exists under a condition.
pub(crate) async fn function_skips(ending: Ending) {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn act(
        #[state] journal: &Journal,
        #[skip] log: &mut Vec<u8>,
        #[skip] (row, column): (u8, u8),
        #[skip]
        #[cfg(any())]
        absent: Absent,
        #[skip]
        #[cfg(not(any()))]
        words: &[&str],
        count: u8,
    ) -> Result<(), Failure> {
        log.extend([row, column]);
        assert_eq!(words, ["a"]);
        journal.tried(count);
        Ok(())
    }

    async fn confirm(journal: &Journal, count: u8) -> Result<(), Failure> {
        journal.confirmed(count);
        Ok(())
    }

    async fn cancel(journal: &Journal, count: u8) -> Result<(), Failure> {
        journal.cancelled(count);
        Ok(())
    }

    let mut log = Vec::new();
    run(ending, |builder| builder.action(act), async {
        act(&mut log, (1, 2), &["a"], 3).await
    })
    .await;
    assert_eq!(log, [1, 2]);
}

/// The same function under two conditions.
pub(crate) async fn function_under_conditions(ending: Ending) {
    #[cfg(any())]
    #[two_phase_action(commit = absent, rollback = absent)]
    async fn act(_: Absent) -> Result<(), Failure> {
        absent()
    }

    #[cfg(not(any()))]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn act(#[state] journal: &Journal, count: u8) -> Result<(), Failure> {
        journal.tried(count);
        Ok(())
    }

    async fn confirm(journal: &Journal, count: u8) -> Result<(), Failure> {
        journal.confirmed(count);
        Ok(())
    }

    async fn cancel(journal: &Journal, count: u8) -> Result<(), Failure> {
        journal.cancelled(count);
        Ok(())
    }

    run(ending, |builder| builder.action(act), async {
        act(1).await
    })
    .await;
}

/// `none` for either partner, names of other versions, and names on the wire.
pub(crate) async fn function_named_and_kept(ending: Ending) {
    #[two_phase_action(
        name = "shelf.take",
        alias = ["shelf.remove"],
        commit = confirm,
        rollback = none
    )]
    async fn take(
        #[state] journal: &Journal,
        #[recorded(name = "sku")] article: &str,
        #[recorded(default)] mut note: Option<String>,
    ) -> Result<(), Failure> {
        note.get_or_insert_default().push('!');
        journal.tried(article);
        Ok(())
    }

    async fn confirm(
        journal: &Journal,
        article: &str,
        note: Option<String>,
    ) -> Result<(), Failure> {
        assert_eq!(note, None);
        journal.confirmed(article);
        Ok(())
    }

    #[two_phase_action(commit = none, rollback = put_back(journal, article))]
    async fn hold(#[state] journal: Arc<Journal>, article: &str) -> Result<(), Failure> {
        journal.tried(article);
        Ok(())
    }

    async fn put_back(journal: Arc<Journal>, article: &str) -> Result<(), Failure> {
        journal.cancelled(article);
        Ok(())
    }

    let fails = ending.fails();
    let world = World::with_actions(|builder, journal| {
        let builder = builder
            .state(journal.clone())
            .state(Arc::new(journal.clone()));
        builder.action(take).action(hold)
    })
    .await;
    let call = async {
        if fails {
            hold("tea").await
        } else {
            take("tea", None).await
        }
    };
    ending.of(&world, transaction(call, ending)).await;
}
