//! Annotated items of a crate of edition 2021 that knows ours under another name, forbids unsafe
//! code and denies every warning, each run to a commit and to a rollback.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    ambiguous_negative_literals,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    future_incompatible,
    keyword_idents,
    let_underscore,
    let_underscore_drop,
    meta_variable_misuse,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    redundant_lifetimes,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![allow(
    clippy::future_not_send,
    clippy::missing_const_for_fn,
    clippy::redundant_pub_crate,
    reason = "about these tests, not about what is generated"
)]

mod actions;
mod decoys;
mod facade;
mod macros;
mod plain;
mod without_prelude;

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tx::sqlx::SqlitePool;

/// How often each phase ran.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<[AtomicU8; 3]>);

impl Counts {
    pub(crate) fn tried(&self) {
        self.count(0);
    }

    pub(crate) fn confirmed(&self) {
        self.count(1);
    }

    pub(crate) fn cancelled(&self) {
        self.count(2);
    }

    /// For partners that are functions, which wait for something.
    pub(crate) async fn confirms(&self) {
        std::future::ready(()).await;
        self.confirmed();
    }

    pub(crate) async fn cancels(&self) {
        std::future::ready(()).await;
        self.cancelled();
    }

    fn count(&self, phase: usize) {
        let _ = self.0[phase].fetch_add(1, Ordering::SeqCst);
    }

    fn all(&self) -> [u8; 3] {
        [0, 1, 2].map(|phase| self.0[phase].load(Ordering::SeqCst))
    }
}

/// A database in memory.
async fn database() -> SqlitePool {
    let pool = tx::sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await;
    pool.expect("SQLite is compiled in")
}

/// Calls twice; the call tells whether it ended well, and is told whether it is to fail.
async fn commits_and_rolls_back<P: tx::Participant>(
    counts: Counts,
    participant: P,
    call: impl AsyncFn(&P, bool) -> bool,
) {
    let participant = Arc::new(participant);
    let builder = tx::Runtime::builder().participant(participant.clone());
    let call = async |fails| call(&participant, fails).await;
    twice(builder, &counts, [[1, 1, 0], [2, 1, 1]], call).await;
}

/// The same for what `provide` provides: two actions with both partners, and two with one.
async fn all_commit_and_roll_back<P>(
    provide: impl FnOnce(tx::RuntimeBuilder, SqlitePool, Counts) -> (tx::RuntimeBuilder, Arc<P>),
    call: impl AsyncFn(&P, bool) -> bool,
) {
    let counts = Counts::default();
    let builder = tx::Runtime::builder();
    let (builder, participant) = provide(builder, database().await, counts.clone());
    let call = async |fails| call(&participant, fails).await;
    twice(builder, &counts, [[4, 2, 0], [8, 2, 4]], call).await;
}

/// Calls once to commit and once to roll back; how often each phase ran by then is given.
async fn twice(
    builder: tx::RuntimeBuilder,
    counts: &Counts,
    expected: [[u8; 3]; 2],
    call: impl AsyncFn(bool) -> bool,
) {
    let runtime = builder
        .coordinator("memory:")
        .build()
        .await
        .expect("a runtime in memory can be built");
    runtime.ready().await;
    for (fails, expected) in [false, true].into_iter().zip(expected) {
        let ended_well = runtime.scope(call(fails)).await;
        assert_eq!(ended_well, !fails);
        let quiet = runtime.quiet(Duration::from_secs(20)).await;
        assert!(quiet, "phase two does not end");
        assert_eq!(counts.all(), expected);
    }
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_renamed_crate_is_found_through_its_path() {
    let counts = Counts::default();
    let till = plain::Till::new(database().await, counts.clone());
    commits_and_rolls_back(counts, till, plain::run).await;
}

#[tokio::test]
async fn no_name_of_the_prelude_is_needed() {
    let counts = Counts::default();
    let till = without_prelude::Till::new(database().await, counts.clone());
    commits_and_rolls_back(counts, till, without_prelude::run).await;
}

#[tokio::test]
async fn names_that_mean_something_else_are_not_met() {
    let counts = Counts::default();
    let till = decoys::Till::new(database().await, counts.clone());
    commits_and_rolls_back(counts, till, decoys::run).await;
}

#[tokio::test]
async fn macros_of_another_crate_may_write_annotated_items() {
    let counts = Counts::default();
    let till = macros::Till {
        pool: database().await,
        counts: counts.clone(),
    };
    commits_and_rolls_back(counts, till, macros::run).await;
}

#[tokio::test]
async fn actions_of_a_renamed_crate_pass_the_strictest_lints() {
    all_commit_and_roll_back(actions::plain::provide, actions::plain::run).await;
}

#[tokio::test]
async fn actions_need_no_name_of_the_prelude() {
    use actions::without_prelude;
    all_commit_and_roll_back(without_prelude::provide, without_prelude::run).await;
}

#[tokio::test]
async fn actions_do_not_meet_names_that_mean_something_else() {
    all_commit_and_roll_back(actions::decoys::provide, actions::decoys::run).await;
}

#[tokio::test]
async fn actions_may_be_written_by_macros_of_another_crate() {
    all_commit_and_roll_back(actions::macros::provide, actions::macros::run).await;
}

#[tokio::test]
async fn a_facade_may_hand_the_crate_on_under_another_name() {
    all_commit_and_roll_back(facade::provide, facade::run).await;
}
