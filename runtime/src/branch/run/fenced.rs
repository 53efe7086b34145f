//! Phase one behind a fence: its row is inserted before the body and closed after it, in the local
//! transaction of the business statements.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use unanimous_protocol::BranchKind;
use unanimous_protocol::header::AnswerHeader;
use unanimous_protocol::message::{Joined, Json};

use super::opening::{Callee, Checked, Opening};
use super::{Beginning, Ended, NOTHING, PhaseOne, Replay, refuse, surrounding};
use crate::Error;
use crate::branch::deliver::Provided;
use crate::branch::fence::{
    DynFence, FenceError, OpenTransaction, RowKey, StoredAnswer, TryRow, TryStep,
};
use crate::branch::{ActionSpec, Participant, Recorder};
use crate::points::Point;

/// What beginning a fenced phase one found.
pub(crate) enum Begun {
    /// The row is inserted; run the body in this local transaction.
    Run(Box<PhaseOne>, OpenTransaction),
    /// It ran before.
    Replay(Box<Replay>),
}

/// Begins a fenced phase one on an instance whose fence this is.
pub(crate) fn begin_fenced(
    spec: &ActionSpec,
    participant: &dyn Participant,
    fence: &dyn DynFence,
    arguments: Recorder,
) -> Beginning<Begun> {
    let scope = surrounding(spec, Some(participant))?;
    let callee = Callee::Instance {
        participant,
        pool: Some(fence.pool_key()),
    };
    let recorded = arguments.finish();
    let opening = Opening::new(scope, spec, &callee, with_row(spec), &recorded)?;
    Ok(Box::pin(fenced(opening)))
}

/// The same for a free function.
pub(crate) fn begin_fenced_function(spec: &ActionSpec, arguments: Recorder) -> Beginning<Begun> {
    let scope = surrounding(spec, None)?;
    let recorded = arguments.finish();
    let opening = Opening::new(scope, spec, &Callee::Function, with_row(spec), &recorded)?;
    Ok(Box::pin(fenced(opening)))
}

/// The kind of a branch behind a fence.
fn with_row(spec: &ActionSpec) -> BranchKind {
    if spec.is_always_cancelled() {
        BranchKind::AlwaysCancel
    } else {
        BranchKind::Fenced
    }
}

async fn fenced(opening: Opening) -> Result<Begun, Error> {
    match opening.join_and_insert().await {
        Ok((joined, inserted)) => Ok(opening.begun(joined, inserted)),
        Err(error) => Err(opening.refuse(error)),
    }
}

/// Closes the row of a fenced phase one, or rolls its local transaction back.
pub(crate) fn finish_fenced(
    phase: Box<PhaseOne>,
    transaction: OpenTransaction,
    ended: Ended,
) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(async move {
        let ended = ended.without_nothing();
        let json = match phase.value(ended) {
            Ok(json) => json,
            Err(error) => {
                drop(transaction);
                return phase.fail(error);
            }
        };
        match phase.close(transaction, json).await {
            Ok(below) => {
                let answer = phase.whole(below);
                phase.call.answered(answer);
                Ok(())
            }
            Err(error) => Err(refuse(phase.call, error)),
        }
    })
}

impl Ended {
    /// The unit value needs no place in a row.
    fn without_nothing(self) -> Self {
        match self {
            Self::Succeeded(json) => Self::Succeeded(json.filter(|json| json != NOTHING)),
            other => other,
        }
    }
}

/// How the fence row was found.
enum Inserted {
    /// Inserted, in this local transaction.
    Now(OpenTransaction),
    /// There already, with its answer.
    Before(StoredAnswer),
}

impl Opening {
    /// RM3: the row first, in the local transaction of the business statements.
    async fn join_and_insert(&self) -> Result<(Joined, Inserted), Error> {
        let joined = self.join().await?;
        let Checked {
            provided,
            action,
            arguments,
            digest,
        } = &self.checked;
        let Some(fence) = provided.fence() else {
            let source = "it has no fence any more".into();
            return Err(Error::Database {
                participant: name(provided),
                source,
            });
        };
        let row = TryRow {
            key: self.key.clone(),
            participant: provided.resource().participant.clone(),
            action: action.clone(),
            digest: *digest,
            arguments: Arc::clone(arguments),
            trace: self.call.scope().trace(),
        };
        let now_ms = self.call.scope().runtime().clock().wall_ms();
        let RowKey { xid, call } = self.key.clone();
        match fence.begin_try(row, now_ms).await {
            Ok(TryStep::Run(transaction)) => {
                self.reach(Point::BeforeBusiness).await?;
                Ok((joined, Inserted::Now(transaction)))
            }
            Ok(TryStep::AlreadyApplied(stored)) => Ok((joined, Inserted::Before(stored))),
            Ok(TryStep::RefusedCancelled) => Err(Error::RefusedCancelled { xid, call }),
            Ok(TryStep::CallIdReused) => Err(Error::CallIdReused { xid, call }),
            Err(FenceError::Nested) => Err(self.nested()),
            // What is forgotten was decided.
            Ok(TryStep::BelowHorizon) => Err(Error::AlreadyDecided { xid }),
            Err(error) => Err(fence_error(error, provided, &self.key)),
        }
    }

    fn nested(&self) -> Error {
        let Checked {
            provided, action, ..
        } = &self.checked;
        let (participant, action) = (name(provided), action.as_str());
        // A function and its only action share a name, which is spelled once.
        let action = if *participant == *action {
            participant
        } else {
            format!("{participant}.{action}").into()
        };
        Error::NestedFence { action }
    }

    /// For the runner: the body's transaction, or the answer of an earlier delivery with all that
    /// it named (RM3).
    fn begun(self, joined: Joined, inserted: Inserted) -> Begun {
        let stored = match inserted {
            Inserted::Now(transaction) => {
                // Boxed: the action's future holds it beside the transaction.
                let phase = Box::new(self.phase_one(joined));
                return Begun::Run(phase, transaction);
            }
            Inserted::Before(stored) => stored,
        };
        let RowKey { xid, call } = &self.key;
        tracing::debug!(%xid, %call, "phase one ran before: answered from its row");
        let answer = if stored.marked {
            AnswerHeader::mark("replayed")
        } else {
            // The alias comes from Register's answer, never from the row.
            let (mut names, abandoned) = (stored.names, stored.abandoned);
            names.insert(joined.alias);
            AnswerHeader::Ok { names, abandoned }
        };
        let json = stored.answer.unwrap_or_else(|| NOTHING.into());
        Begun::Replay(Box::new(Replay {
            call: self.call,
            answer,
            json,
        }))
    }
}

impl PhaseOne {
    /// The failure of a fence that hands out transactions of another database than the action's.
    pub(crate) fn other_database(self) -> Error {
        let error = self.database("its `fence()` is of another database than the action's");
        refuse(self.call, error)
    }

    /// RM3: the answer, with the names below it, X and the mark, in the same local transaction.
    async fn close(
        &self,
        transaction: OpenTransaction,
        json: Option<Json>,
    ) -> Result<AnswerHeader, Error> {
        self.reach(Point::AfterBusiness).await?;
        let below = self.below().await;
        let Some(fence) = self.provided.fence() else {
            return Err(self.database("it has no fence any more"));
        };
        let answer = json.filter(|json| &**json != NOTHING);
        let mut stored = StoredAnswer {
            answer,
            kept: self.branch.context.take_kept(),
            ..StoredAnswer::default()
        };
        match below.clone() {
            AnswerHeader::Ok { names, abandoned } => {
                (stored.names, stored.abandoned) = (names, abandoned);
            }
            AnswerHeader::Mark { .. } => stored.marked = true,
        }
        self.reach(Point::BeforeRowCloses).await?;
        let failed = |error| fence_error(error, &self.provided, self.key());
        let closed = fence
            .close_try(transaction, self.key().clone(), stored)
            .await;
        let transaction = closed.map_err(failed)?;
        self.reach(Point::BeforeLocalCommit).await?;
        fence.commit(transaction).await.map_err(failed)?;
        self.reach(Point::AfterLocalCommit).await?;
        self.reach(Point::BeforeAnswer).await?;
        Ok(below)
    }

    fn database(&self, why: &'static str) -> Error {
        Error::Database {
            participant: name(&self.provided),
            source: why.into(),
        }
    }
}

fn fence_error(error: FenceError, provided: &Provided, key: &RowKey) -> Error {
    match error {
        FenceError::EndedEarly => Error::FenceEndedEarly {
            call: key.call.clone(),
        },
        FenceError::NotDurable(why) => Error::NotDurable(why),
        FenceError::Database(source) => Error::Database {
            participant: name(provided),
            source,
        },
        other => Error::Database {
            participant: name(provided),
            source: other.into(),
        },
    }
}

fn name(provided: &Provided) -> Arc<str> {
    provided.resource().participant.as_str().into()
}
