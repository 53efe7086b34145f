//! The transaction manager: the product's call records and decision, and a body that makes two
//! calls, one after the other.

use unanimous::CallFailure;
use unanimous::global::calls::{Asking, Calls, Rules};
use unanimous_protocol::header::AnswerHeader;
use unanimous_protocol::{CallId, Outcome, RollbackReason};

use crate::names::{XID, target, tolerate};
use crate::scope::{Can, Scope};

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Manager<T: Rules> {
    phase: Phase<T>,
    /// The body was told that the second call, in its block, failed: it must not take effect.
    pub(crate) abandoned: bool,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "most states are running ones, and all are kept once"
)]
enum Phase<T: Rules> {
    Running(Body<T>),
    Ended(Asking<T>),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Body<T: Rules> {
    root: Calls<T>,
    /// The `tolerate` block under way.
    block: Option<(CallId, Calls<T>)>,
    /// The call under way.
    running: Option<CallId>,
    /// How many calls were opened.
    opened: usize,
}

/// How a call ends, as the body sees it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum CallEnd {
    /// With its header.
    Answered,
    /// With success, but the header was lost.
    Stripped,
    /// Its answer was lost, or it failed.
    Failed,
}

impl<T: Rules> Manager<T> {
    pub(crate) fn new() -> Self {
        let mut body = Body {
            root: Calls::new(CallId::root()),
            block: None,
            running: None,
            opened: 0,
        };
        body.open(false);
        Self {
            phase: Phase::Running(body),
            abandoned: false,
        }
    }

    /// Which call is under way.
    pub(crate) fn running(&self) -> Option<usize> {
        match &self.phase {
            Phase::Running(body) => body.running.as_ref().map(|_| body.opened - 1),
            Phase::Ended(_) => None,
        }
    }

    /// How many calls were made: only those can reach a participant.
    pub(crate) fn opened(&self) -> usize {
        match &self.phase {
            Phase::Running(body) => body.opened,
            Phase::Ended(_) => 2,
        }
    }

    /// What is asked of the coordinator, once the body has ended.
    pub(crate) fn asking(&self) -> Option<&Asking<T>> {
        match &self.phase {
            Phase::Running(_) => None,
            Phase::Ended(asking) => Some(asking),
        }
    }

    pub(crate) fn in_block(&self) -> bool {
        matches!(&self.phase, Phase::Running(Body { block: Some(_), .. }))
    }

    /// Whether the user may be told that it was rolled back.
    pub(crate) fn tells_rolled_back(&self) -> bool {
        let outcome = self.asking().map(Asking::outcome);
        matches!(outcome, Some(Outcome::RolledBack { .. }))
    }

    /// The call under way ends; the body goes on with the next one.
    pub(crate) fn call_ends(&mut self, scope: Scope, end: CallEnd, answer: AnswerHeader) {
        let Phase::Running(body) = &mut self.phase else {
            return;
        };
        let Some(call) = body.running.take() else {
            return;
        };
        let records = body
            .block
            .as_mut()
            .map_or(&mut body.root, |(_, block)| block);
        match end {
            CallEnd::Answered => records.answered(&call, answer),
            CallEnd::Stripped => records.unanswered_success(&call),
            CallEnd::Failed => records.failed(&call, CallFailure::LostAnswer),
        }
        if body.opened == 1 && records.first_failure().is_none() {
            body.open(scope.can(Can::Tolerate));
        }
    }

    /// The `tolerate` block ends, also by being dropped over a call that still runs.
    pub(crate) fn block_ends(&mut self, ok: bool) {
        let Phase::Running(body) = &mut self.phase else {
            return;
        };
        let Some((id, block)) = body.block.take() else {
            return;
        };
        body.running = None;
        self.abandoned = !ok;
        body.root.block_ended(&id, block.end_block(ok));
    }

    /// The body ends; what is to be asked follows from the call records (TM2).
    pub(crate) fn ends(&mut self, ok: bool) {
        let Phase::Running(body) = &self.phase else {
            return;
        };
        let mut asking = Asking::new(XID.clone());
        match body.root.commit_request(&XID) {
            Ok(commit) if ok => {
                asking.ask_commit(commit);
            }
            _ => asking.ask_rollback(RollbackReason::Requested),
        }
        self.phase = Phase::Ended(asking);
    }

    /// Nobody answers in time.
    pub(crate) fn silence(&mut self) {
        if let Phase::Ended(asking) = &mut self.phase {
            asking.silence();
        }
    }
}

impl<T: Rules> Body<T> {
    fn open(&mut self, in_block: bool) {
        let target = target(self.opened);
        self.opened += 1;
        if in_block {
            let id = self.root.open(&tolerate()).expect("short");
            let mut block = Calls::new(id.clone());
            self.running = Some(block.open(&target).expect("short"));
            self.block = Some((id, block));
        } else {
            self.running = Some(self.root.open(&target).expect("short"));
        }
    }
}
