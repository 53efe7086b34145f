//! Up to the start of the body: checks, registration, the fence row.

use std::cell::RefCell;
use std::sync::Arc;

use unanimous_protocol::header::AnswerHeader;
use unanimous_protocol::ids::Target;
use unanimous_protocol::message::{JoinRefused, Json, Register};
use unanimous_protocol::{ActionName, Alias, BranchKind, Digest, limits};

use super::{Begun, NOTHING, PhaseOne, Replay, fence_error, misunderstood, name, refuse};
use crate::Error;
use crate::branch::deliver::{Deliveries, Provided};
use crate::branch::fence::{DynFence, OpenTransaction, RowKey, StoredAnswer, TryRow, TryStep};
use crate::branch::{ActionSpec, BranchContext, BranchScope, Participant, Recorded};
use crate::context::{CallKind, OpenCall, Scope};
use crate::points::{Phase, Point};

/// A phase one before its body.
pub(super) struct Opening {
    checked: Checked,
    kind: BranchKind,
    key: RowKey,
    call: OpenCall,
}

/// On what an action is called.
pub(super) enum Callee<'a> {
    /// On this instance, whose fence is this pool, if it has one.
    Instance {
        participant: &'a dyn Participant,
        pool: Option<usize>,
    },
    /// On nothing: it is a free function.
    Function,
}

impl Callee<'_> {
    /// What is called, for call ids and messages.
    fn target(&self, spec: &ActionSpec) -> Arc<str> {
        match self {
            Self::Instance { participant, .. } => spelled(&participant.name(), spec.name()),
            Self::Function => spec.name().into(),
        }
    }

    /// Who performs phase two of what is called.
    fn provided<'a>(
        &self,
        spec: &ActionSpec,
        deliveries: &'a Deliveries,
    ) -> Option<&'a Arc<Provided>> {
        match self {
            Self::Instance { participant, pool } => deliveries.behind(*participant, *pool),
            Self::Function => deliveries.function(spec),
        }
    }

    fn pool(&self, provided: Option<&Arc<Provided>>) -> Option<usize> {
        match self {
            Self::Instance { pool, .. } => *pool,
            Self::Function => provided?.fence().map(DynFence::pool_key),
        }
    }
}

/// How the fence row was found.
pub(super) enum Inserted {
    /// Inserted, in this local transaction.
    Now(OpenTransaction),
    /// There already, with its answer.
    Before(StoredAnswer),
}

/// What was found before anything was registered.
struct Checked {
    provided: Arc<Provided>,
    action: ActionName,
    arguments: Json,
    digest: Digest,
}

impl Opening {
    /// Opens the record of the call and checks everything that needs no coordinator.
    pub(super) fn new(
        spec: &ActionSpec,
        callee: &Callee<'_>,
        kind: BranchKind,
        recorded: &Recorded,
    ) -> Result<Self, Error> {
        let target = callee.target(spec);
        let Some(scope) = Scope::current() else {
            return Err(Error::NotInTransaction { what: target });
        };
        let provided = callee.provided(spec, scope.runtime().deliveries());
        let entered = callee.pool(provided).filter(|_| kind.has_row());
        let nested = entered.is_some_and(|pool| scope.is_inside_fence(pool));
        let call = match entered {
            Some(pool) => scope.open_fenced_call(&Target::shared(&target), pool)?,
            None => scope.open_call(&Target::shared(&target), CallKind::Call)?,
        };
        match check(spec, provided, recorded, &target) {
            Ok(_) if nested => Err(refuse(call, Error::NestedFence { action: target })),
            Ok(checked) => {
                let key = RowKey {
                    xid: scope.xid().clone(),
                    call: call.id().clone(),
                };
                Ok(Self {
                    checked,
                    kind,
                    key,
                    call,
                })
            }
            Err(error) => Err(refuse(call, error)),
        }
    }

    /// RM2: joins, and waits for the answer before anything runs. A refusal is an error to the
    /// caller and no reason to cancel: another delivery of the call may have joined.
    async fn join(&self) -> Result<Alias, Error> {
        let Checked {
            provided,
            action,
            arguments,
            digest,
        } = &self.checked;
        let RowKey { xid, call } = &self.key;
        let scope = self.call.scope();
        let register = Register {
            xid: xid.clone(),
            call: call.clone(),
            resource: provided.resource().clone(),
            action: action.clone(),
            kind: self.kind,
            digest: *digest,
            // A fence row holds them itself.
            arguments: self.kind.is_forced().then(|| Arc::clone(arguments)),
            trace: scope.trace(),
        };
        let coordinator = scope.runtime().coordinator();
        self.reach(Point::BeforeRegister).await?;
        self.call.joined();
        match coordinator.register(register).await? {
            Ok(joined) => {
                let (alias, repeat) = (joined.alias, joined.repeat);
                tracing::debug!(%xid, %call, %alias, repeat, "branch joined");
                self.reach(Point::AfterRegister).await?;
                Ok(alias)
            }
            Err(refused) => Err(self.refused(refused, coordinator.address())),
        }
    }

    /// Joins; there is no row to write.
    pub(super) async fn join_unfenced(&self) -> Result<Alias, Error> {
        let alias = self.join().await?;
        self.reach(Point::BeforeBusiness).await?;
        Ok(alias)
    }

    /// Tells a test that phase one has come to this point.
    async fn reach(&self, point: Point) -> Result<(), Error> {
        let points = self.call.scope().runtime().points();
        Ok(points.reach(Phase::Try, point, &self.key).await?)
    }

    fn refused(&self, refused: JoinRefused, coordinator: Arc<str>) -> Error {
        let RowKey { xid, call } = self.key.clone();
        match refused {
            JoinRefused::AlreadyDecided => Error::AlreadyDecided { xid },
            JoinRefused::CallIdReused => Error::CallIdReused { xid, call },
            JoinRefused::TooManyBranches => Error::TooMany {
                xid,
                what: "branches",
                max: limits::BRANCHES_MAX,
            },
            JoinRefused::Foreign => Error::ForeignCoordinator {
                xid,
                ours: coordinator,
            },
            refused => misunderstood(coordinator, refused.to_string()),
        }
    }

    /// RM3: the row first, in the local transaction of the business statements.
    pub(super) async fn join_and_insert(&self) -> Result<(Alias, Inserted), Error> {
        let alias = self.join().await?;
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
                Ok((alias, Inserted::Now(transaction)))
            }
            Ok(TryStep::AlreadyApplied(stored)) => Ok((alias, Inserted::Before(stored))),
            Ok(TryStep::RefusedCancelled) => Err(Error::RefusedCancelled { xid, call }),
            Ok(TryStep::CallIdReused) => Err(Error::CallIdReused { xid, call }),
            // What is forgotten was decided.
            Ok(TryStep::BelowHorizon) => Err(Error::AlreadyDecided { xid }),
            Err(error) => Err(fence_error(error, provided, &self.key)),
        }
    }

    /// The call failed.
    pub(super) fn refuse(self, error: Error) -> Error {
        refuse(self.call, error)
    }

    /// For the runner: the body's transaction, or the answer of an earlier delivery with all that
    /// it named (RM3).
    pub(super) fn begun(self, alias: Alias, inserted: Inserted) -> Begun {
        let stored = match inserted {
            Inserted::Now(transaction) => return Begun::Run(self.phase_one(alias), transaction),
            Inserted::Before(stored) => stored,
        };
        let RowKey { xid, call } = &self.key;
        tracing::debug!(%xid, %call, "phase one ran before: answered from its row");
        let answer = if stored.marked {
            AnswerHeader::mark("replayed")
        } else {
            // The alias comes from Register's answer, never from the row.
            let (mut names, abandoned) = (stored.names, stored.abandoned);
            names.insert(alias);
            AnswerHeader::Ok { names, abandoned }
        };
        let json = stored.answer.unwrap_or_else(|| NOTHING.into());
        Begun::Replay(Box::new(Replay {
            call: self.call,
            answer,
            json,
        }))
    }

    pub(super) fn phase_one(self, alias: Alias) -> Box<PhaseOne> {
        let Self {
            checked: Checked {
                provided, action, ..
            },
            key,
            call,
            ..
        } = self;
        let attempt = call.scope().runtime().deliveries().attempt(&key);
        let span = tracing::info_span!(
            "branch",
            xid = %key.xid,
            call = %key.call,
            resource = %provided.resource(),
            %action,
            attempt,
        );
        let context = BranchContext::new(key.xid.clone(), key.call.clone(), action, None, attempt);
        let branch = BranchScope { context, span };
        Box::new(PhaseOne {
            alias,
            key,
            provided,
            branch,
            call,
        })
    }
}

/// What is called, in one allocation: it is spelled at every call.
fn spelled(participant: &str, action: &str) -> Arc<str> {
    thread_local! {
        static SPELLED: RefCell<String> = const { RefCell::new(String::new()) };
    }
    let spell = |spelled: &mut String| {
        spelled.clear();
        for part in [participant, ".", action] {
            spelled.push_str(part);
        }
        Arc::from(&**spelled)
    };
    let shared = SPELLED.try_with(|spelled| spell(&mut spelled.borrow_mut()));
    shared.unwrap_or_else(|_| spell(&mut String::new()))
}

/// Everything that can be refused before anything is registered.
fn check(
    spec: &ActionSpec,
    provided: Option<&Arc<Provided>>,
    recorded: &Recorded,
    target: &Arc<str>,
) -> Result<Checked, Error> {
    let arguments = |why: String| Error::Arguments {
        action: Arc::clone(target),
        why,
    };
    let json = recorded.json().map_err(|why| arguments(why.to_string()))?;
    let digest = recorded
        .digest()
        .map_err(|why| arguments(why.to_string()))?;
    let mut actions = provided.iter().flat_map(|found| found.actions());
    let known = actions.find(|action| action.as_str() == spec.name());
    let (Some(provided), Some(action)) = (provided, known) else {
        let at = spec.location();
        let action = Arc::clone(target);
        return Err(Error::NotProvided {
            action,
            file: at.file,
            line: at.line,
        });
    };
    Ok(Checked {
        provided: Arc::clone(provided),
        action: action.clone(),
        arguments: Arc::clone(json),
        digest,
    })
}
