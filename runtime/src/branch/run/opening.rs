//! Up to the start of the body: checks, registration, the fence row.

use std::sync::Arc;

use unanimous_protocol::ids::Target;
use unanimous_protocol::message::{JoinRefused, Joined, Json, Register};
use unanimous_protocol::{ActionName, BranchKind, Digest, limits};

use super::{PhaseOne, misunderstood, refuse};
use crate::Error;
use crate::branch::deliver::{Deliveries, Provided};
use crate::branch::fence::{DynFence, RowKey};
use crate::branch::{ActionSpec, BranchContext, BranchScope, Participant, RecordError, Recorded};
use crate::context::{CallKind, OpenCall, Scope};
use crate::points::{Phase, Point};

/// A phase one before its body.
pub(super) struct Opening {
    pub(super) checked: Checked,
    pub(super) kind: BranchKind,
    pub(super) key: RowKey,
    pub(super) call: OpenCall,
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
    /// What is called, for messages and for call ids where nothing is provided.
    fn called(&self, spec: &ActionSpec) -> Arc<str> {
        match self {
            Self::Instance { participant, .. } => {
                format!("{}.{}", participant.name(), spec.name()).into()
            }
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

/// What was found before anything was registered.
pub(super) struct Checked {
    pub(super) provided: Arc<Provided>,
    pub(super) action: ActionName,
    pub(super) arguments: Json,
    pub(super) digest: Digest,
}

impl Opening {
    /// Opens the record of the call and checks everything that needs no coordinator.
    pub(super) fn new(
        scope: Scope,
        spec: &ActionSpec,
        callee: &Callee<'_>,
        kind: BranchKind,
        recorded: &Recorded,
    ) -> Result<Self, Error> {
        let provided = callee.provided(spec, scope.runtime().deliveries());
        let action = provided.and_then(|provided| provided.action(spec.name()));
        let target = match action {
            Some((_, target)) => target.clone(),
            None => Target::new(&callee.called(spec)),
        };
        let entered = callee.pool(provided).filter(|_| kind.has_row());
        let nested = entered.is_some_and(|pool| scope.is_inside_fence(pool));
        let call = match entered {
            Some(pool) => scope.open_fenced_call(&target, pool)?,
            None => scope.open_call(&target, CallKind::Call)?,
        };
        let action = action.map(|(action, _)| action);
        match check(spec, callee, provided.zip(action), recorded) {
            Ok(_) if nested => {
                let action = callee.called(spec);
                Err(refuse(call, Error::NestedFence { action }))
            }
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
    pub(super) async fn join(&self) -> Result<Joined, Error> {
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
                Ok(joined)
            }
            Err(refused) => Err(self.refused(refused, coordinator.address())),
        }
    }

    /// Joins; there is no row to write.
    pub(super) async fn join_unfenced(&self) -> Result<Joined, Error> {
        let joined = self.join().await?;
        self.reach(Point::BeforeBusiness).await?;
        Ok(joined)
    }

    /// Tells a test that phase one has come to this point.
    pub(super) async fn reach(&self, point: Point) -> Result<(), Error> {
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

    /// The call failed.
    pub(super) fn refuse(self, error: Error) -> Error {
        refuse(self.call, error)
    }

    pub(super) fn phase_one(self, joined: Joined) -> PhaseOne {
        let Self {
            checked: Checked {
                provided, action, ..
            },
            key,
            call,
            ..
        } = self;
        let attempt = attempt(call.scope(), &key, joined.repeat);
        let span = tracing::info_span!(
            "branch",
            xid = %key.xid,
            call = %key.call,
            resource = %provided.resource(),
            %action,
            attempt,
        );
        let context = BranchContext::new(key, action, None, attempt);
        let branch = BranchScope { context, span };
        PhaseOne {
            alias: joined.alias,
            provided,
            branch,
            call,
        }
    }
}

/// The number of this run of phase one. A coordinator that checks call ids knows the first one, so
/// that nothing is remembered of the many calls that are never repeated.
fn attempt(scope: &Scope, key: &RowKey, repeat: bool) -> u32 {
    let runtime = scope.runtime();
    if repeat || !runtime.coordinator().capabilities().checks_call_ids {
        runtime.deliveries().attempt(key, repeat)
    } else {
        1
    }
}

/// Everything that can be refused before anything is registered.
fn check(
    spec: &ActionSpec,
    callee: &Callee<'_>,
    provided: Option<(&Arc<Provided>, &ActionName)>,
    recorded: &Recorded,
) -> Result<Checked, Error> {
    let arguments = |why: RecordError| Error::Arguments {
        action: callee.called(spec),
        why: why.to_string(),
    };
    let json = recorded.json().map_err(arguments)?;
    let digest = recorded.digest().map_err(arguments)?;
    let Some((provided, action)) = provided else {
        let at = spec.location();
        return Err(Error::NotProvided {
            action: callee.called(spec),
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
