//! What a case needs around it: a runtime with a coordinator in memory, and a journal in which
//! phase one and phase two of its actions leave their words.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use unanimous::clock::ManualClock;
use unanimous::sqlx::SqlitePool;
use unanimous::sqlx::sqlite::SqlitePoolOptions;
use unanimous::{Participant, Runtime, RuntimeBuilder, participant};

/// The error of a case's functions.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The transaction itself.
    Transaction(unanimous::Error),
    /// The case's own.
    Business(&'static str),
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Transaction(error) => Display::fmt(error, f),
            Self::Business(word) => f.write_str(word),
        }
    }
}

impl std::error::Error for Failure {}

impl From<unanimous::Error> for Failure {
    fn from(error: unanimous::Error) -> Self {
        Self::Transaction(error)
    }
}

impl From<unanimous::sqlx::Error> for Failure {
    fn from(_: unanimous::sqlx::Error) -> Self {
        Self::Business("database")
    }
}

impl Failure {
    /// What a body that fails by itself returns.
    pub(crate) fn business<T>(word: &'static str) -> Result<T, Self> {
        Err(Self::Business(word))
    }
}

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<(Phase, String)>>>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Tried,
    Confirmed,
    Cancelled,
}

impl Journal {
    pub(crate) fn tried(&self, what: impl Display) {
        self.write(Phase::Tried, what);
    }

    pub(crate) fn confirmed(&self, what: impl Display) {
        self.write(Phase::Confirmed, what);
    }

    pub(crate) fn cancelled(&self, what: impl Display) {
        self.write(Phase::Cancelled, what);
    }

    fn write(&self, phase: Phase, what: impl Display) {
        self.entries().push((phase, what.to_string()));
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<(Phase, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, phase: Phase) -> BTreeSet<String> {
        let mut entries = self.entries();
        let taken = entries
            .iter()
            .filter(|entry| entry.0 == phase)
            .map(|entry| entry.1.clone());
        let taken = taken.collect();
        entries.retain(|entry| entry.0 != phase);
        taken
    }
}

/// A participant without a fence, for cases that are about the transaction around it.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    journal: Journal,
}

#[participant(name = "probe")]
impl Probe {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn touch(&self, word: &str) -> Result<usize, unanimous::Error> {
        self.journal.tried(word);
        Ok(word.len())
    }

    async fn confirm(&self, word: String) -> Result<(), Failure> {
        self.journal.confirmed(word);
        Ok(())
    }

    async fn cancel(&self, word: String) -> Result<(), Failure> {
        self.journal.cancelled(word);
        Ok(())
    }
}

/// A runtime with a coordinator in memory.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    clock: Option<Arc<ManualClock>>,
    pub(crate) journal: Journal,
    pub(crate) probe: Arc<Probe>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| Vec::new()).await
    }

    /// With a clock that stands still until the case moves it.
    pub(crate) async fn with_manual_clock() -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new());
        let world = Self::build(|builder, _| builder.clock(clock.clone()), |_| Vec::new()).await;
        (
            Self {
                clock: Some(clock.clone()),
                ..world
            },
            clock,
        )
    }

    /// With participants of the case's own, which write to the journal.
    pub(crate) async fn with(
        participants: impl FnOnce(&Journal) -> Vec<Arc<dyn Participant>>,
    ) -> Self {
        Self::build(|builder, _| builder, participants).await
    }

    /// With what the case gives to the builder: actions that are free functions, and their state.
    pub(crate) async fn with_actions(
        set: impl FnOnce(RuntimeBuilder, &Journal) -> RuntimeBuilder,
    ) -> Self {
        Self::build(set, |_| Vec::new()).await
    }

    async fn build(
        set: impl FnOnce(RuntimeBuilder, &Journal) -> RuntimeBuilder,
        participants: impl FnOnce(&Journal) -> Vec<Arc<dyn Participant>>,
    ) -> Self {
        let journal = Journal::default();
        let probe = Arc::new(Probe {
            journal: journal.clone(),
        });
        let mut builder = set(Runtime::builder(), &journal)
            .coordinator("memory:")
            .participant(probe.clone());
        for participant in participants(&journal) {
            builder = builder.participant(participant);
        }
        let runtime = builder
            .build()
            .await
            .expect("a runtime in memory can be built");
        runtime.ready().await;
        Self {
            runtime,
            clock: None,
            journal,
            probe,
        }
    }

    /// With one participant of the case's own.
    pub(crate) async fn with_one<P: Participant>(
        make: impl FnOnce(&Journal) -> P,
    ) -> (Self, Arc<P>) {
        let mut provided = None;
        let world = Self::with(|journal| {
            let participant = Arc::new(make(journal));
            provided = Some(participant.clone());
            vec![participant as Arc<dyn Participant>]
        })
        .await;
        (world, provided.expect("`with` makes its participants"))
    }

    /// Runs to the end of phase two.
    async fn run<F: Future>(&self, call: F) -> (F::Output, [BTreeSet<String>; 3]) {
        let output = self.runtime.scope(call).await;
        assert!(self.quiet().await, "phase two does not end");
        let phases = [Phase::Tried, Phase::Confirmed, Phase::Cancelled];
        (output, phases.map(|phase| self.journal.take(phase)))
    }

    /// Waits for the end of phase two; a clock that stands still goes on meanwhile.
    async fn quiet(&self) -> bool {
        // A hand-moved clock runs ahead of the work that it waits for.
        let within = Duration::from_secs(if self.clock.is_some() { 36_000 } else { 20 });
        let passing = async {
            let Some(clock) = &self.clock else {
                return pending().await;
            };
            loop {
                tokio::task::yield_now().await;
                clock.advance(Duration::from_millis(1));
            }
        };
        tokio::select! {
            quiet = self.runtime.quiet(within) => quiet,
            never = passing => never,
        }
    }

    /// Runs a call that commits, and its phase two.
    pub(crate) async fn commits<T, E: Debug>(&self, call: impl Future<Output = Result<T, E>>) -> T {
        let (output, [tried, confirmed, cancelled]) = self.run(call).await;
        let value = output.expect("the call commits");
        assert!(!tried.is_empty(), "nothing was tried");
        assert_eq!(confirmed, tried);
        assert_eq!(cancelled, BTreeSet::new());
        value
    }

    /// Runs a call that rolls back, and its phase two.
    pub(crate) async fn rolls_back<T: Debug, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> E {
        let (output, [tried, confirmed, cancelled]) = self.run(call).await;
        assert!(!tried.is_empty(), "nothing was tried");
        assert_eq!(cancelled, tried);
        assert_eq!(confirmed, BTreeSet::new());
        match output {
            Err(error) => error,
            Ok(value) => panic!("the call rolls back, but it returned Ok({value:?})"),
        }
    }

    /// Runs a call that commits although it ends in an error.
    pub(crate) async fn commits_with_error<T: Debug, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> E {
        let (output, [tried, confirmed, cancelled]) = self.run(call).await;
        assert!(!tried.is_empty(), "nothing was tried");
        assert_eq!(confirmed, tried);
        assert_eq!(cancelled, BTreeSet::new());
        match output {
            Err(error) => error,
            Ok(value) => panic!("the body's error is returned, but it returned Ok({value:?})"),
        }
    }

    /// Runs a call that fails before anything was tried.
    pub(crate) async fn refuses<T: Debug, E>(&self, call: impl Future<Output = Result<T, E>>) -> E {
        let (output, phases) = self.run(call).await;
        assert_eq!(phases, [const { BTreeSet::new() }; 3]);
        match output {
            Err(error) => error,
            Ok(value) => panic!("the call is refused, but it returned Ok({value:?})"),
        }
    }
}

/// A database in memory with one table, `account`.
pub(crate) async fn database() -> SqlitePool {
    let options = SqlitePoolOptions::new().max_connections(1);
    let pool = options
        .connect("sqlite::memory:")
        .await
        .expect("SQLite is compiled in");
    let schema = "CREATE TABLE account (user TEXT PRIMARY KEY, balance INTEGER NOT NULL, \
                  frozen INTEGER NOT NULL DEFAULT 0)";
    unanimous::sqlx::query(schema)
        .execute(&pool)
        .await
        .expect("the table is new");
    let row = "INSERT INTO account (user, balance) VALUES ('ann', 100)";
    unanimous::sqlx::query(row)
        .execute(&pool)
        .await
        .expect("the row is new");
    pool
}

/// Balance and frozen amount of the only account.
pub(crate) async fn account(pool: &SqlitePool) -> (i64, i64) {
    let query = "SELECT balance, frozen FROM account WHERE user = 'ann'";
    unanimous::sqlx::query_as(query)
        .fetch_one(pool)
        .await
        .expect("the account exists")
}
