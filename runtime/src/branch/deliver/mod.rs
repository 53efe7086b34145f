//! Phase two arrives, questions are asked, rows are cleaned.
//!
//! ```text
//! coordinator --phase two--> handler --+
//!                                      +--> perform: fence, user code, fence --> result
//! fence --tried rows--> in_doubt ------+
//!          (asks, gets answers)
//! coordinator --horizon----> clean --> acknowledged once it is stored
//! ```
//!
//! * `provided`: the participants of this process, by resource and by instance;
//! * `under_way`: which branches run, and what was heard about which;
//! * `handler`: what the coordinator sees;
//! * `present`: what an attachment presents (RM10);
//! * `perform`: one phase two of one branch (RM4, RM5);
//! * `in_doubt`: questions about tried rows (RM6, RM7);
//! * `clean`: the horizon (RM8);
//! * `health`: numbers for people.

mod clean;
mod handler;
mod health;
mod in_doubt;
mod perform;
mod present;
mod provided;
#[cfg(test)]
mod tests;
mod under_way;

#[cfg(feature = "testing")]
pub(crate) use perform::panic_text;
pub use provided::ProvideError;
pub(crate) use provided::{Provided, Registry};

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::watch;
use unanimous_protocol::message::{AttachRefused, Attached};
use unanimous_protocol::{Incarnation, LogId};

use self::in_doubt::Rounds;
use self::under_way::UnderWay;
use super::fence::RowKey;
use super::{ActionSpec, Participant};
use crate::backoff::Entropy;
use crate::clock::Clock;
use crate::coordinator::Coordinator;
use crate::events::Events;
use crate::runtime::WeakRuntime;

/// Longest text of an error that is told to the coordinator, which keeps the last one, in bytes.
const ERROR_BYTES_MAX: usize = 1_024;

/// Performs phase two for the participants of this process.
#[derive(Debug)]
pub(crate) struct Deliveries {
    inner: Arc<Inner>,
}

/// What the parts need beside the participants.
struct Surroundings {
    /// A name for people.
    application: Arc<str>,
    /// The clock of questions and repeats.
    clock: Arc<dyn Clock>,
    /// For jitter.
    entropy: Entropy,
    /// Hears what wants a person's attention.
    events: Events,
}

/// Whether this process is attached to its coordinator.
#[derive(Clone, Debug)]
enum AttachState {
    /// Not yet, or not any more.
    Detached,
    /// The coordinator refuses; it is tried again.
    Refused(AttachRefused),
    /// Attached.
    Attached {
        /// Counts the attachments, from 1.
        nth: u64,
        /// What the coordinator presented.
        attached: Arc<Attached>,
        /// The pools whose participants were left out: their databases could not be read.
        left_out: Arc<BTreeSet<usize>>,
    },
}

struct Inner {
    surroundings: Surroundings,
    registry: Registry,
    under_way: UnderWay,
    rounds: Rounds,
    /// Whether the coordinator answers questions about rows in doubt.
    is_answered: bool,
    attach_state: watch::Sender<AttachState>,
    met: Mutex<Met>,
    /// What user code begins in phase two, it begins there.
    runtime: OnceLock<WeakRuntime>,
}

/// What this process has met of its coordinator and its databases.
#[derive(Debug, Default)]
struct Met {
    attachments: u64,
    log: Option<LogId>,
    /// The newest incarnation of that log.
    newest: Option<Incarnation>,
    /// What each database named as the newest in the last presentation, by its pool.
    presented: BTreeMap<usize, Option<Incarnation>>,
    /// The same at its last attachment to that log, where the log did not know it: rows of other
    /// coordinators, or of one whose log was lost, tell nothing about this one (RM10).
    strangers: BTreeMap<usize, Option<Incarnation>>,
    /// The pools whose databases could not be read for the last presentation.
    left_out: Arc<BTreeSet<usize>>,
}

impl Met {
    /// The newest incarnation that databases name and that may be one of the log met last: not
    /// what they named before they were attached to it and it did not know.
    fn newest_of_log(&self) -> Option<Incarnation> {
        let named = self.presented.iter().filter_map(|(pool, newest)| {
            let stranger = match &self.log {
                Some(_) => *self.strangers.get(pool)?,
                None => None,
            };
            newest.filter(|newest| Some(*newest) != stranger)
        });
        self.newest.max(named.max())
    }

    /// An attachment was accepted.
    fn attached(&mut self, attached: &Attached) {
        self.attachments += 1;
        if self.log.replace(attached.log) != Some(attached.log) {
            self.newest = None;
            self.strangers.clear();
        }
        let known: BTreeSet<_> = attached
            .incarnations
            .iter()
            .map(|info| info.incarnation)
            .collect();
        self.newest = self.newest.max(known.last().copied());
        let presented = self.presented.iter();
        let strangers = presented
            .map(|(pool, newest)| (*pool, newest.filter(|newest| !known.contains(newest))));
        self.strangers.extend(strangers);
    }
}

impl Deliveries {
    /// Phase two for these participants, and the task to spawn beside it: it asks about rows in
    /// doubt and cleans what an attachment announces, for as long as it is polled. Dropping it
    /// leaves every row as it is.
    pub(crate) fn new(
        application: Arc<str>,
        registry: Registry,
        coordinator: Arc<dyn Coordinator>,
        clock: Arc<dyn Clock>,
        events: Events,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send + 'static) {
        let inner = Arc::new(Inner {
            surroundings: Surroundings {
                application,
                clock,
                entropy: Entropy::system(),
                events,
            },
            registry,
            under_way: UnderWay::default(),
            rounds: Rounds::default(),
            is_answered: coordinator.capabilities().answers_in_doubt,
            attach_state: watch::Sender::new(AttachState::Detached),
            met: Mutex::default(),
            runtime: OnceLock::new(),
        });
        let deliveries = Arc::new(Self {
            inner: Arc::clone(&inner),
        });
        let served = async move {
            let questions = in_doubt::ask_for_ever(&inner, &coordinator);
            let cleaning = clean::catch_up_for_ever(&inner, &coordinator);
            futures_util::future::join(questions, cleaning).await;
        };
        (deliveries, served)
    }

    /// Phase two runs in this runtime from now on.
    pub(crate) fn belong_to(&self, runtime: WeakRuntime) {
        // Deliveries belong to one runtime, which says so once.
        let _ = self.inner.runtime.set(runtime);
    }

    /// Completes once all participants are attached.
    pub(crate) async fn ready(&self) {
        let mut states = self.inner.attach_state.subscribe();
        // The sender lives as long as `self`.
        let _ = states
            .wait_for(|state| match state {
                AttachState::Attached { left_out, .. } => left_out.is_empty(),
                AttachState::Detached | AttachState::Refused(_) => false,
            })
            .await;
    }

    /// Whether the rows that were tried before this attachment have been asked about, and brought to
    /// what was decided (RM6).
    pub(crate) fn has_asked(&self) -> bool {
        self.provided().all(|one| self.inner.has_asked(one))
    }

    /// The participants, by name.
    pub(crate) fn provided(&self) -> impl Iterator<Item = &Arc<Provided>> {
        self.inner.registry.iter()
    }

    /// The provided participant that this instance belongs to; `pool` is the instance's fence.
    pub(crate) fn behind(
        &self,
        instance: &dyn Participant,
        pool: Option<usize>,
    ) -> Option<&Arc<Provided>> {
        self.inner.registry.behind(instance, pool)
    }

    /// The provided function that is described so.
    pub(crate) fn function(&self, spec: &ActionSpec) -> Option<&Arc<Provided>> {
        self.inner.registry.function(spec)
    }

    /// The number of this attempt at phase one of a call, from 1; from 2 if it repeats one that
    /// was not counted.
    pub(crate) fn attempt(&self, key: &RowKey, repeats: bool) -> u32 {
        self.inner.under_way.attempt(key, None, repeats)
    }
}

impl Inner {
    /// False while it is not attached: another start of the coordinator may not know its rows.
    fn has_asked(&self, provided: &Provided) -> bool {
        if !self.is_answered || provided.fence().is_none() {
            return true;
        }
        let AttachState::Attached { nth, .. } = *self.attach_state.borrow() else {
            return false;
        };
        let round = self.rounds.last(&provided.resource().participant);
        round.nth == nth && round.failed == 0
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// An error and its sources, one after the other.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> Arc<str> {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    shortened(&text)
}

/// At most [`ERROR_BYTES_MAX`] bytes of the text.
fn shortened(text: &str) -> Arc<str> {
    text[..text.floor_char_boundary(ERROR_BYTES_MAX)].into()
}
