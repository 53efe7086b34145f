use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::decisions::Decisions;
use super::functions::Functions;
use super::pace::{Clocked, Pace};
use super::url::{CHOICES, Url, UrlError, VARIABLE};
use super::{Inner, Runtime, Settings, Tasks, open::Open};
use crate::__private::LinkedParticipant;
use crate::backoff::Entropy;
use crate::branch::deliver::{Deliveries, ProvideError, Provided, Registry};
use crate::branch::fence::DynFence;
use crate::branch::function::LinkedFunction;
use crate::branch::{Participant, SourceLocation};
use crate::clock::{Clock, SystemClock};
use crate::coordinator::{Coordinator, Host, OpenError, open};
use crate::events::{Event, EventHandler, Events};
use crate::hooks::{Hooks, TransactionHook};
use crate::points::Points;

#[doc = include_str!("../docs/builder.md")]
#[must_use = "nothing happens before `build`"]
pub struct RuntimeBuilder {
    coordinator: Option<Chosen>,
    application: Option<String>,
    participants: Vec<Arc<dyn Participant>>,
    functions: Functions,
    require_linked: bool,
    /// Whether a coordinator in memory may stand beside a database that outlives the process.
    volatile_allowed: bool,
    clock: Option<Arc<dyn Clock>>,
    events: Option<EventHandler>,
    hooks: Hooks,
    points: Points,
    pace: Arc<dyn Pace>,
    settings: Settings,
}

enum Chosen {
    Url(String),
    Value(Arc<dyn Coordinator>),
}

/// Why a runtime could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No coordinator was named. There is no default: which one is right depends on the
    /// deployment.
    #[error("no coordinator was named; {CHOICES}")]
    NoCoordinator,
    /// What was written names no coordinator.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The coordinator could not be opened.
    #[error(transparent)]
    Coordinator(#[from] OpenError),
    /// A participant cannot be provided.
    #[error(transparent)]
    Participant(#[from] ProvideError),
    /// A coordinator whose records die with the process beside a database that outlives it: after
    /// a restart nobody could decide the rows it left.
    #[error(
        "the participant `{participant}` keeps its fence in a database that outlives the process, but the coordinator `{coordinator}` forgets everything with it; use `embedded:PATH`, an in-memory database, or the feature `testing`"
    )]
    VolatileCoordinator {
        /// The participant.
        participant: String,
        /// The coordinator.
        coordinator: Arc<str>,
    },
    /// Participants that are linked into the program were not provided, and
    /// [`RuntimeBuilder::require_linked`] was asked for.
    #[error("linked into this program but not provided: {}; give each type to `.participant(Arc::new(..))` and each function to `.action(..)`, or do not call `require_linked`", list(.0))]
    NotProvided(Vec<String>),
    /// What was given to [`RuntimeBuilder::action`] is no action.
    #[error(
        "`{0}` is no action: mark the function with #[two_phase_action(commit = .., rollback = ..)]; a method is provided by its participant: `.participant(Arc::new(..))`"
    )]
    NotAnAction(&'static str),
    /// A provided action takes state that was not given.
    #[error("the action {action} takes state of the type `{state}`, which was not given: add `.state(value)`{}", instead(.given))]
    MissingState {
        /// The function, its file and its line.
        action: String,
        /// The type it takes.
        state: &'static str,
        /// The types that were given.
        given: Vec<&'static str>,
    },
    /// Two values of one type were given as state, so that no action could tell them apart.
    #[error("two values of the type `{state}` were given as state: {first} and {second}{}; wrap one in a type of its own", taken_by(.actions))]
    DoubledState {
        /// Their type.
        state: &'static str,
        /// Where one was given.
        first: &'static Location<'static>,
        /// Where the other was given.
        second: &'static Location<'static>,
        /// The provided actions that take this type, each with its file and its line.
        actions: Vec<String>,
    },
    /// `build` was called outside a tokio runtime.
    #[error("`build` must run inside a tokio runtime: it starts tasks")]
    NoTokio,
}

/// Another runtime is installed already.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a runtime is already installed in this process; use `runtime.scope(..)` for a second one")]
pub struct InstallError;

impl RuntimeBuilder {
    pub(super) fn new() -> Self {
        Self {
            coordinator: None,
            application: None,
            participants: Vec::new(),
            functions: Functions::default(),
            require_linked: false,
            volatile_allowed: cfg!(feature = "testing"),
            clock: None,
            events: None,
            hooks: Hooks::default(),
            points: Points::default(),
            pace: Arc::new(Clocked),
            settings: Settings::default(),
        }
    }

    /// The coordinator's address: `memory:`, `embedded:PATH` or `unanimous://HOST:PORT`. Without
    /// it the variable `UNANIMOUS_COORDINATOR` is read.
    pub fn coordinator(mut self, url: impl Into<String>) -> Self {
        self.coordinator = Some(Chosen::Url(url.into()));
        self
    }

    /// A coordinator of your own, or one shared by several runtimes. The [`Runtime::shutdown`] of
    /// any of them stops it.
    pub fn coordinator_value(mut self, coordinator: Arc<dyn Coordinator>) -> Self {
        self.coordinator = Some(Chosen::Value(coordinator));
        self
    }

    /// The name of this process for people. Default: the executable's name.
    pub fn application(mut self, application: impl Into<String>) -> Self {
        self.application = Some(application.into());
        self
    }

    /// Provides a participant: its phase two is performed here.
    pub fn participant(mut self, participant: Arc<dyn Participant>) -> Self {
        self.participants.push(participant);
        self
    }

    /// Provides an action that is a free function: its phase two is performed here. The function
    /// itself, not its name: `.action(debit)`. Giving one twice is giving it once.
    pub fn action<F: Any>(mut self, function: F) -> Self {
        // The type of a function names it.
        drop(function);
        self.functions.name::<F>();
        self
    }

    /// Provides every action that is a free function and is linked into the program.
    ///
    /// A crate is linked as soon as anything of it is used, so this suits services that own all
    /// their actions; where clients of other services are linked in, name each with
    /// [`RuntimeBuilder::action`].
    pub fn linked_actions(mut self) -> Self {
        self.functions.all_linked();
        self
    }

    /// State for actions that are free functions: found by its type wherever one of them marks a
    /// parameter with `#[state]`. One value per type.
    #[track_caller]
    pub fn state<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.functions.state(value, Location::caller());
        self
    }

    /// Refuses to build while a participant, or an action that is a free function, is linked into the
    /// program and not provided;
    /// otherwise that is only warned of.
    pub fn require_linked(mut self) -> Self {
        self.require_linked = true;
        self
    }

    /// Whether the fence's tables are created where they are missing. Default: yes. Services
    /// without the right to create tables take the schema from [`crate::sqlite::SCHEMA`].
    pub fn create_tables(mut self, create_tables: bool) -> Self {
        self.settings.create_tables = create_tables;
        self
    }

    /// The timeout of transactions whose annotation names none. Default: 60 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How long a caller waits for a decision at least, once commit was asked. Default: 5 s.
    pub fn decision_wait(mut self, decision_wait: Duration) -> Self {
        self.settings.decision_wait = decision_wait;
        self
    }

    /// Wait at most so long after each commit for its branches to end. Default: not at all.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settings.settle = settle;
        self
    }

    /// How long [`Runtime::shutdown`] waits for what is open, then an embedded coordinator for
    /// what is open in other processes, then for the phase two that is under way; each at most so
    /// long. Default: 10 s.
    pub fn drain(mut self, drain: Duration) -> Self {
        self.settings.drain = drain;
        self
    }

    /// The drain time.
    #[cfg(feature = "testing")]
    pub(crate) fn drain_time(&self) -> Duration {
        self.settings.drain
    }

    /// The clock. Default: the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Hears of what wants a person's attention: parked branches, unknown outcomes, refusals.
    /// Called where it happens, so it must not block.
    pub fn on_event(mut self, handler: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.events = Some(Arc::new(handler));
        self
    }

    /// Calls this hook at the begin and the end of every transaction that begins in this runtime;
    /// may be given several times. [`TransactionHook`] says when, where and in which order.
    pub fn hook(mut self, hook: impl TransactionHook + 'static) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Hears of every named point that a phase comes to, and may make it fail or stop there. With
    /// the feature `testing` only.
    #[cfg(feature = "testing")]
    pub fn faults(mut self, faults: Arc<dyn crate::testing::Faults>) -> Self {
        self.points = Points::new(faults);
        self
    }

    /// How waits for the end of branches pass the time.
    #[cfg(feature = "testing")]
    pub(crate) fn pace(mut self, pace: Arc<dyn Pace>) -> Self {
        self.pace = pace;
        self
    }

    /// Opens the coordinator, prepares the participants' databases, and starts to serve phase two.
    ///
    /// Does what is local and succeeds while a remote coordinator is away;
    /// [`Runtime::ready`] waits for the attachment. Dropping the future leaves tables created and
    /// nothing running.
    pub async fn build(self) -> Result<Runtime, BuildError> {
        let Ok(tokio) = tokio::runtime::Handle::try_current() else {
            return Err(BuildError::NoTokio);
        };
        let application: Arc<str> = self.application.unwrap_or_else(executable).into();
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let mut participants = self.participants;
        participants.extend(self.functions.provide()?);
        warn_of_linked(&participants, self.require_linked)?;
        let chosen = match self.coordinator {
            Some(chosen) => chosen,
            None => Chosen::Url(std::env::var(VARIABLE).map_err(|_| BuildError::NoCoordinator)?),
        };
        let coordinator = match chosen {
            Chosen::Url(url) => {
                let host = Host {
                    application: Arc::clone(&application),
                    clock: Arc::clone(&clock),
                    drain: self.settings.drain,
                };
                open(Url::parse(&url)?, &host).await?
            }
            Chosen::Value(coordinator) => coordinator,
        };
        let settings = self.settings;
        let allowed = self.volatile_allowed;
        let registry = provide(participants, &*coordinator, &settings, allowed).await?;
        let events = Events::new(self.events);
        let entropy = Entropy::system();
        let (decisions, decider) = Decisions::new(
            Arc::clone(&coordinator),
            Arc::clone(&clock),
            entropy.clone(),
        );
        let (deliveries, served) = Deliveries::new(
            Arc::clone(&application),
            registry,
            Arc::clone(&coordinator),
            Arc::clone(&clock),
            events.clone(),
        );
        let tasks = [
            tokio.spawn(decider).abort_handle(),
            tokio.spawn(served).abort_handle(),
        ];
        let inner = Inner {
            application,
            coordinator,
            clock,
            entropy,
            settings,
            events,
            hooks: self.hooks,
            decisions,
            deliveries,
            attachment: Mutex::new(None),
            open: Open::default(),
            points: self.points,
            pace: self.pace,
            _tasks: Tasks(tasks.into()),
        };
        let runtime = Runtime {
            inner: Arc::new(inner),
        };
        runtime.attach();
        Ok(runtime)
    }
}

async fn provide(
    participants: Vec<Arc<dyn Participant>>,
    coordinator: &dyn Coordinator,
    settings: &Settings,
    volatile_allowed: bool,
) -> Result<Registry, BuildError> {
    let volatile = !coordinator.capabilities().durable;
    let mut provided = Vec::with_capacity(participants.len());
    for participant in participants {
        if volatile && !volatile_allowed && outlives_process(&*participant) {
            return Err(BuildError::VolatileCoordinator {
                participant: participant.name().into_owned(),
                coordinator: coordinator.address(),
            });
        }
        provided.push(Provided::prepare(participant, settings.create_tables, volatile).await?);
    }
    Ok(Registry::new(provided)?)
}

fn outlives_process(participant: &dyn Participant) -> bool {
    participant.fence().is_some_and(DynFence::outlives_process)
}

/// Linking alone never makes a process a handler; forgetting to provide is told.
fn warn_of_linked(
    participants: &[Arc<dyn Participant>],
    require_linked: bool,
) -> Result<(), BuildError> {
    let provided: Vec<SourceLocation> = participants
        .iter()
        .filter_map(|participant| participant.declared_at())
        .collect();
    let participants = LinkedParticipant::all()
        .filter(|linked| !provided.contains(&linked.declared_at()))
        .map(ToString::to_string);
    let functions = LinkedFunction::all()
        .filter(|linked| !provided.contains(&linked.declared_at()))
        .map(ToString::to_string);
    let missing: Vec<String> = participants.chain(functions).collect();
    if require_linked && !missing.is_empty() {
        return Err(BuildError::NotProvided(missing));
    }
    for participant in missing {
        tracing::warn!(%participant, "linked into this program but not provided to the runtime");
    }
    Ok(())
}

fn executable() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_ref().and_then(|path| path.file_stem());
    name.map_or_else(
        || "unnamed".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// What was given instead, as a hint: the right value in a wrapper, say.
fn instead(types: &[&'static str]) -> String {
    if types.is_empty() {
        return String::new();
    }
    format!("; given are `{}`", types.join("`, `"))
}

fn taken_by(actions: &[String]) -> String {
    if actions.is_empty() {
        return String::new();
    }
    format!("; taken by {}", list(actions))
}

fn list(names: &[String]) -> String {
    names.join(", ")
}

impl fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeBuilder")
            .field("application", &self.application)
            .field("participants", &self.participants.len())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "embedded", feature = "sqlite"))]
mod tests {
    use std::borrow::Cow;

    use futures_util::future::{BoxFuture, ready};
    use sqlx::SqlitePool;

    use super::*;
    use crate::branch::{ActionSpec, Branch, PhaseTwoError};

    /// A participant whose only contents are its fence.
    struct Fenced(SqlitePool);

    impl Participant for Fenced {
        fn name(&self) -> Cow<'static, str> {
            "fenced".into()
        }

        fn actions(&self) -> &'static [ActionSpec] {
            &[]
        }

        fn fence(&self) -> Option<&dyn DynFence> {
            Some(&self.0)
        }

        fn phase_two(self: Arc<Self>, _: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
            Box::pin(ready(Ok(())))
        }
    }

    fn beside(coordinator: &str, pool: &SqlitePool) -> RuntimeBuilder {
        let mut builder = RuntimeBuilder::new().coordinator(coordinator);
        builder.volatile_allowed = false;
        builder.participant(Arc::new(Fenced(pool.clone())))
    }

    #[tokio::test]
    async fn a_coordinator_in_memory_beside_a_database_that_stays_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pool = crate::sqlite::durable(folder.path().join("stays.db"))
            .await
            .unwrap();
        let error = beside("memory:", &pool).build().await.unwrap_err();
        assert!(
            matches!(error, BuildError::VolatileCoordinator { .. }),
            "{error:?}"
        );
        let text = error.to_string();
        for part in [
            "`fenced`",
            "`memory:`",
            "embedded:PATH",
            "in-memory database",
            "`testing`",
        ] {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = sqlx::query_scalar(tables).fetch_one(&pool).await.unwrap();
        assert_eq!(tables, 0, "the refusal came after something was written");

        // Both ways out.
        let log = folder.path().join("unanimous.redb");
        let embedded = format!("embedded:{}", log.display());
        beside(&embedded, &pool)
            .build()
            .await
            .unwrap()
            .shutdown()
            .await;
        let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
        let memory = one.connect("sqlite::memory:").await.unwrap();
        beside("memory:", &memory)
            .build()
            .await
            .unwrap()
            .shutdown()
            .await;
    }
}
