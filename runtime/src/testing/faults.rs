//! Faults at named points.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use unanimous_protocol::{CallId, Xid};

use super::{Phase, Point};

/// A phase has come to a named point.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reached {
    /// Which phase.
    pub phase: Phase,
    /// Where in it.
    pub point: Point,
    /// The transaction.
    pub xid: Xid,
    /// The branch.
    pub call: CallId,
}

/// The phase is to fail at the point that it has reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fail;

/// Hears of every named point; see [`RuntimeBuilder::faults`](crate::RuntimeBuilder::faults).
///
/// ```
/// # use std::future::{Future, ready};
/// # use std::pin::Pin;
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// use unanimous::testing::{Fail, FaultPlan, Faults, Phase, Point, Reached};
/// # use unanimous::{Error, Runtime, global_transactional, participant};
/// # struct Mailer;
/// # #[participant(name = "mailer")]
/// # impl Mailer {
/// #     #[two_phase_action(commit = none, rollback = discard)]
/// #     async fn prepare(&self) -> Result<(), Error> {
/// #         Ok(())
/// #     }
/// #     async fn discard(&self) -> Result<(), Error> {
/// #         Ok(())
/// #     }
/// # }
/// # #[global_transactional]
/// # async fn write(mailer: &Mailer) -> Result<(), Error> {
/// #     mailer.prepare().await
/// # }
///
/// /// No phase one is ever answered.
/// #[derive(Debug)]
/// struct Silent;
///
/// impl Faults for Silent {
///     fn reach(&self, reached: Reached) -> Pin<Box<dyn Future<Output = Result<(), Fail>> + Send>> {
///         let fails = reached.phase == Phase::Try && reached.point == Point::BeforeAnswer;
///         Box::pin(ready(if fails { Err(Fail) } else { Ok(()) }))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mailer = Arc::new(Mailer);
/// let runtime = Runtime::builder()
///     .coordinator("memory:")
///     .participant(mailer.clone())
///     .faults(Arc::new(Silent)) // or a `FaultPlan`, which plans them one by one
///     .build()
///     .await?;
/// assert!(runtime.scope(write(&mailer)).await.is_err());
/// # drop(FaultPlan::new());
/// # assert!(runtime.quiet(Duration::from_secs(10)).await);
/// # runtime.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub trait Faults: Send + Sync + fmt::Debug + 'static {
    /// A phase has come to a point, and goes on when the future completes: with `Err` it fails
    /// there. A future that does not complete keeps the phase there until it is dropped.
    fn reach(&self, reached: Reached) -> BoxFuture<'static, Result<(), Fail>>;
}

/// What happens at a point, once.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Fault {
    /// The phase fails there.
    Fail,
    /// The phase stops there until [`FaultPlan::go_on`], or until it is dropped.
    Stop,
}

/// Faults that are planned one by one; every other point is passed. Clones share the plan.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// How many phases have come to a planned stop.
    stopped: watch::Sender<usize>,
    /// How often the stopped were told to go on.
    released: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    planned: VecDeque<Planned>,
    reached: Vec<(Phase, Point)>,
}

#[derive(Debug)]
struct Planned {
    at: (Phase, Point),
    /// How often the point is passed before.
    passes: usize,
    fault: Fault,
}

impl State {
    /// What happens to a phase that has come to this point.
    fn reach(&mut self, at: (Phase, Point)) -> Option<Fault> {
        self.reached.push(at);
        let place = self.planned.iter().position(|planned| planned.at == at)?;
        let next = self.planned.get_mut(place)?;
        if next.passes > 0 {
            next.passes -= 1;
            return None;
        }
        self.planned.remove(place).map(|planned| planned.fault)
    }
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            stopped: watch::Sender::new(0),
            released: watch::Sender::new(0),
        }
    }
}

impl FaultPlan {
    /// No faults yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next phase that comes to this point meets this fault. Planned twice, it happens twice.
    pub fn plan(&self, phase: Phase, point: Point, fault: Fault) {
        self.plan_after(phase, point, 0, fault);
    }

    /// The same, once the point was passed so many times: with 1 it is the second of two calls
    /// whose phase one fails, or the second delivery of a phase two. What was planned for the
    /// point before happens first.
    pub fn plan_after(&self, phase: Phase, point: Point, passes: usize, fault: Fault) {
        self.state().planned.push_back(Planned {
            at: (phase, point),
            passes,
            fault,
        });
    }

    /// What is planned and has not happened.
    #[must_use]
    pub fn pending(&self) -> Vec<(Phase, Point, Fault)> {
        let state = self.state();
        let pending = state.planned.iter();
        pending
            .map(|Planned { at, fault, .. }| (at.0, at.1, *fault))
            .collect()
    }

    /// Every point that was reached, each once.
    #[must_use]
    pub fn reached(&self) -> BTreeSet<(Phase, Point)> {
        self.state().reached.iter().copied().collect()
    }

    /// The points that were reached since the last time, in order.
    #[must_use]
    pub fn take_reached(&self) -> Vec<(Phase, Point)> {
        std::mem::take(&mut self.state().reached)
    }

    /// Completes once so many phases have come to a [`Fault::Stop`], ever. Cancel safe.
    pub async fn stopped(&self, times: usize) {
        // The sender lives as long as `self`.
        let _ = self
            .0
            .stopped
            .subscribe()
            .wait_for(|stopped| *stopped >= times)
            .await;
    }

    /// How many phases have come to a [`Fault::Stop`] so far.
    #[must_use]
    pub fn stops(&self) -> usize {
        *self.0.stopped.borrow()
    }

    /// Lets every phase that has stopped go on.
    pub fn go_on(&self) {
        self.0.released.send_modify(|released| *released += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faults for FaultPlan {
    fn reach(&self, reached: Reached) -> BoxFuture<'static, Result<(), Fail>> {
        let fault = self.state().reach((reached.phase, reached.point));
        let plan = self.clone();
        Box::pin(async move {
            match fault {
                None => Ok(()),
                Some(Fault::Fail) => Err(Fail),
                Some(Fault::Stop) => {
                    let mut released = plan.0.released.subscribe();
                    let before = *released.borrow_and_update();
                    plan.0.stopped.send_modify(|stopped| *stopped += 1);
                    // The sender lives as long as `plan`.
                    let _ = released.wait_for(|released| *released > before).await;
                    Ok(())
                }
            }
        })
    }
}
