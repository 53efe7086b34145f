//! The transaction manager's decider: one record per call, and what may be asked of the
//! coordinator because of them (TM1 to TM5, N3). Pure: no clock, no IO, nothing async.
//!
//! ```text
//! Calls of a scope                 records                   Calls of its parent
//!   open(target) ─────────▶ Running ─ answered, failed, .. ─▶ Succeeded | Failed | Abandoned
//!   end(ending) ──────────▶ AnswerHeader ──────────────────▶ answered(call, header)
//!   end_block(ok) ────────▶ Verdict ───────────────────────▶ block_ended(call, verdict)
//!   commit_request(xid) ──▶ Commit { S, X } ──▶ Asking         (the scope that began)
//! ```
//!
//! Every scope has a [`Calls`] of its own: the body that began, a joined scope, the body of an
//! action, a `tolerate` or `retry_call` block, a keyed block, a spawned task, a server's handler.
//! In one process a scope hands its answer header to its parent in memory.

mod asking;
mod few;
mod rules;

use std::collections::BTreeSet;
use std::marker::PhantomData;

use unanimous_protocol::header::AnswerHeader;
use unanimous_protocol::ids::{CallIdError, Ordinal, Target};
use unanimous_protocol::message::Commit;
use unanimous_protocol::{Alias, CallId, Xid, limits};

use self::few::Few;
use crate::error::CallFailure;

pub use asking::Asking;
pub use rules::{All, Rules};

/// The call records of one scope.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Calls<R: Rules = All> {
    scope: CallId,
    /// How many calls of each target were opened here (N3).
    ordinals: Few<Target, Ordinal>,
    records: Few<CallId, Record>,
    /// The failure that the error of the whole names.
    first_failure: Option<(CallId, CallFailure)>,
    /// The branch that the scope itself is: a successful action.
    own_name: Option<Alias>,
    /// A registration was sent, an answer named a branch, or a success came without header.
    joined: bool,
    /// The last call opened here is a joined scope that ended by its own `commit_on`.
    excused: bool,
    rules: PhantomData<R>,
}

/// How the code of a scope ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Ending {
    /// With `Ok`; also blocks and tasks whose value is not looked at.
    Ok,
    /// With an error that the scope's own `commit_on` matches.
    CommitOn,
    /// With any other error.
    Err,
    /// A handler, with a status that says error. As [`Ending::Err`], unless the last thing it
    /// called is a joined scope that ended by its own `commit_on`.
    Status,
}

/// The record of one call (TM1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Record {
    Running,
    Succeeded {
        names: BTreeSet<Alias>,
        abandoned: BTreeSet<CallId>,
    },
    Failed,
    /// Tolerated: everything below it is X.
    Abandoned,
}

/// Why commit may not be asked (TM2).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum CommitRefused {
    /// A call failed or still runs.
    RollbackOnly {
        /// The call that failed first.
        call: CallId,
        /// How it failed.
        cause: CallFailure,
    },
    /// More than [`limits::ABANDONED_CALLS_MAX`] calls were abandoned.
    TooManyAbandoned,
}

/// How a block that contains failures ended.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Verdict {
    /// It succeeded.
    Succeeded {
        /// The branches of the succeeded calls below it.
        names: BTreeSet<Alias>,
        /// The calls abandoned below it.
        abandoned: BTreeSet<CallId>,
    },
    /// It failed, by that call.
    Failed {
        /// The call below it that failed first.
        call: CallId,
        /// How it failed.
        cause: CallFailure,
    },
    /// It was tolerated, with everything below it.
    Abandoned,
}

impl<R: Rules> Calls<R> {
    /// The records of the scope that this call is; [`CallId::root`] for the scope that began.
    #[must_use]
    pub fn new(scope: CallId) -> Self {
        Self {
            scope,
            ordinals: Few::new(),
            records: Few::new(),
            first_failure: None,
            own_name: None,
            joined: false,
            excused: false,
            rules: PhantomData,
        }
    }

    /// The call that the scope is.
    #[must_use]
    pub fn scope(&self) -> &CallId {
        &self.scope
    }

    /// Opens a call: its record is Running, its id `scope/target:ordinal` (N3).
    ///
    /// Whoever opens a call that has effects asks [`Calls::first_failure`] first, in this scope and
    /// in those around it: after a failure nothing more is called.
    ///
    /// # Errors
    ///
    /// When its id would exceed the limits; nothing was opened.
    pub fn open(&mut self, target: &Target) -> Result<CallId, CallIdError> {
        let last = self.ordinals.get_mut(target);
        let ordinal = last.as_deref().map_or(1, |last| last.saturating_add(1));
        let call = self.scope.child(target, ordinal)?;
        match last {
            Some(last) => *last = ordinal,
            None => self.ordinals.insert(target.clone(), ordinal),
        }
        self.records.insert(call.clone(), Record::Running);
        self.excused = false;
        Ok(call)
    }

    /// A call that has effects cannot be opened: no id names it, so the scope itself is what failed.
    pub fn cannot_call(&mut self, cause: CallFailure) {
        let failure = || (self.scope.clone(), cause);
        self.first_failure.get_or_insert_with(failure);
    }

    /// A registration was sent for a call of this scope or below it.
    pub fn joined(&mut self) {
        self.joined = true;
    }

    /// The last call is a joined scope that ended by its own `commit_on`: the error status that
    /// its handler makes of that is no failure.
    pub fn excuse(&mut self) {
        self.excused = true;
    }

    /// The scope is an action that succeeded as this branch: its answer names it.
    pub fn own_name(&mut self, alias: Alias) {
        self.own_name = Some(alias);
    }

    /// An answer with header came: without the mark the call succeeded, whatever its business
    /// status; with the mark it failed (TM1). Only the first answer counts.
    pub fn answered(&mut self, call: &CallId, answer: AnswerHeader) {
        match answer {
            AnswerHeader::Ok { names, abandoned } => {
                self.joined |= !names.is_empty();
                self.settle(call, Record::Succeeded { names, abandoned });
            }
            AnswerHeader::Mark { .. } => self.failed(call, CallFailure::Marked),
        }
    }

    /// A success came without header: there is no layer there. No names (TM5).
    pub fn unanswered_success(&mut self, call: &CallId) {
        self.joined = true;
        self.settle(call, Record::nameless());
    }

    /// An error was answered, with header and without mark, before anything joined there: no
    /// failure.
    pub fn harmless(&mut self, call: &CallId) {
        self.settle(call, Record::nameless());
    }

    /// The call failed: it answered with an error, its answer was lost, its future was dropped.
    pub fn failed(&mut self, call: &CallId, cause: CallFailure) {
        if cause == CallFailure::LostAnswer && !R::LOST_ANSWER_FAILS {
            return self.settle(call, Record::nameless());
        }
        self.fail(call, (call.clone(), cause));
    }

    /// A block of this scope ended in this process.
    pub fn block_ended(&mut self, call: &CallId, verdict: Verdict) {
        match verdict {
            Verdict::Succeeded { names, abandoned } => {
                self.joined |= !names.is_empty();
                self.settle(call, Record::Succeeded { names, abandoned });
            }
            Verdict::Failed { call: inner, cause } => self.fail(call, (inner, cause)),
            Verdict::Abandoned => self.settle(call, Record::Abandoned),
        }
    }

    /// The next attempt of a `retry_call` begins: ordinals start again, so that ids repeat, and
    /// the last answer decides. What was abandoned stays so unless its id is opened again.
    pub fn restart(&mut self) {
        // A failed attempt may have joined without leaving a trace.
        self.joined |= self
            .records
            .iter()
            .any(|(_, record)| record.is_unfinished());
        self.records.retain(|record| *record == Record::Abandoned);
        self.ordinals.clear();
        self.first_failure = None;
    }

    /// The failure because of which nothing more is called here.
    #[must_use]
    pub fn first_failure(&self) -> Option<&(CallId, CallFailure)> {
        self.first_failure.as_ref()
    }

    /// What the scope answers when it ends, judged like a handler (TM1): the mark if a call below
    /// failed or still runs, or if it ends in an error of its own after anything joined.
    ///
    /// The answer that a fenced action stores is taken before [`Calls::own_name`].
    #[must_use]
    pub fn end(&self, ending: Ending) -> AnswerHeader {
        if let Some((_, cause)) = self.unfinished() {
            return AnswerHeader::mark(reason(cause));
        }
        let failed = match ending {
            Ending::Ok | Ending::CommitOn => false,
            Ending::Err => true,
            Ending::Status => !self.excused,
        };
        if failed && self.joined {
            return AnswerHeader::mark("error");
        }
        let (names, abandoned) = self.names();
        AnswerHeader::Ok { names, abandoned }
    }

    /// What a `tolerate` block tells its parent: with `Err`, or dropped, everything below it is
    /// abandoned; `Ok` over a call that failed or still runs is a failure.
    #[must_use]
    pub fn end_block(&self, ok: bool) -> Verdict {
        let (names, abandoned) = self.names();
        match self.unfinished() {
            _ if !ok && R::ABANDONED_NAMES_NOTHING => Verdict::Abandoned,
            Some((call, cause)) if ok => Verdict::Failed { call, cause },
            _ => Verdict::Succeeded { names, abandoned },
        }
    }

    /// S and X of the scope that began, if commit may be asked (TM2): only when no call is Running
    /// or Failed. An error that `commit_on` matches does not lift this.
    ///
    /// # Errors
    ///
    /// Why only rollback may be asked.
    pub fn commit_request(&self, xid: &Xid) -> Result<Commit, CommitRefused> {
        if let Some((call, cause)) = self.unfinished() {
            return Err(CommitRefused::RollbackOnly { call, cause });
        }
        let (succeeded, abandoned) = self.names();
        if abandoned.len() > limits::ABANDONED_CALLS_MAX {
            return Err(CommitRefused::TooManyAbandoned);
        }
        Ok(Commit {
            xid: xid.clone(),
            succeeded,
            abandoned,
        })
    }

    /// The first failure, or the first call that still runs.
    fn unfinished(&self) -> Option<(CallId, CallFailure)> {
        let running = || {
            let mut records = self.records.iter();
            let (call, _) = records.find(|(_, record)| **record == Record::Running)?;
            Some((call.clone(), CallFailure::StillRunning))
        };
        self.first_failure.clone().or_else(running)
    }

    /// The names of all succeeded calls, each once, and the ids of the abandoned ones.
    fn names(&self) -> (BTreeSet<Alias>, BTreeSet<CallId>) {
        // A set that is collected allocates a list beside itself.
        let mut names = BTreeSet::new();
        if let Some(name) = self.own_name {
            names.insert(name);
        }
        let mut abandoned = BTreeSet::new();
        for (call, record) in self.records.iter() {
            match record {
                Record::Succeeded {
                    names: more,
                    abandoned: below,
                } => {
                    names.extend(more);
                    abandoned.extend(below.iter().cloned());
                }
                Record::Abandoned => {
                    abandoned.insert(call.clone());
                }
                Record::Running | Record::Failed => {}
            }
        }
        (names, abandoned)
    }

    fn fail(&mut self, call: &CallId, failure: (CallId, CallFailure)) {
        if self.records.get(call) == Some(&Record::Running) {
            self.first_failure.get_or_insert(failure);
        }
        self.settle(call, Record::Failed);
    }

    /// Only a running call is settled: the body went on from its first answer.
    fn settle(&mut self, call: &CallId, settled: Record) {
        if let Some(record @ Record::Running) = self.records.get_mut(call) {
            *record = settled;
        }
    }
}

impl Record {
    fn nameless() -> Self {
        Self::Succeeded {
            names: BTreeSet::new(),
            abandoned: BTreeSet::new(),
        }
    }

    fn is_unfinished(&self) -> bool {
        matches!(self, Self::Running | Self::Failed)
    }
}

/// The word for a cause in the mark of an answer.
fn reason(cause: CallFailure) -> &'static str {
    match cause {
        CallFailure::Failed => "failed",
        CallFailure::LostAnswer => "lost-answer",
        CallFailure::Dropped => "dropped",
        CallFailure::Marked => "marked-below",
        CallFailure::Refused => "refused",
        CallFailure::StillRunning => "still-running",
    }
}

#[cfg(test)]
mod tests;
