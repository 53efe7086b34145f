use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, pending, ready};
use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, Began, Begin, BeginRefused, Commit, DecisionAnswer,
    InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, Register, Report, ReportAnswer,
};
use unanimous_protocol::{Alias, RollbackReason, Xid};

use crate::coordinator::{
    Answer, Attachment, Capabilities, Coordinator, CoordinatorError, PhaseTwoHandler,
};

/// What the coordinator was asked, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    Begin(String),
    Commit(String, Vec<u32>, Vec<String>),
    Rollback(String),
}

/// What it answers to a decision.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    This(DecisionAnswer),
    Nothing,
    Unavailable,
}

/// A coordinator that follows a script; unscripted decisions are granted.
#[derive(Debug, Default)]
pub(super) struct Script {
    asked: Mutex<Vec<Asked>>,
    decisions: Mutex<VecDeque<Says>>,
    begins: Mutex<VecDeque<BeginRefused>>,
}

impl Script {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn then(&self, says: Says) {
        self.decisions.lock().unwrap().push_back(says);
    }

    pub(super) fn refuse_begin(&self, refused: BeginRefused) {
        self.begins.lock().unwrap().push_back(refused);
    }

    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap().push(asked);
    }

    fn decide(&self, granted: DecisionAnswer) -> Answer<DecisionAnswer> {
        match self
            .decisions
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Says::This(granted))
        {
            Says::This(answer) => Box::pin(ready(Ok(answer))),
            Says::Nothing => Box::pin(pending()),
            Says::Unavailable => Box::pin(ready(Err(away()))),
        }
    }
}

fn away() -> CoordinatorError {
    CoordinatorError::Unavailable {
        coordinator: "script".into(),
        why: "away".into(),
    }
}

fn xid(number: usize) -> Xid {
    format!("u1.1.00000000000000aa.{number}").parse().unwrap()
}

fn counter(xid: &Xid) -> String {
    xid.own().unwrap().counter.to_string()
}

impl Coordinator for Script {
    fn capabilities(&self) -> Capabilities {
        Capabilities::full()
    }

    fn address(&self) -> Arc<str> {
        "script".into()
    }

    fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>> {
        if let Some(refused) = self.begins.lock().unwrap().pop_front() {
            return Box::pin(ready(Ok(Err(refused))));
        }
        self.note(Asked::Begin(begin.name.to_string()));
        let asked = self.asked();
        let begun = asked
            .iter()
            .filter(|asked| matches!(asked, Asked::Begin(_)))
            .count();
        Box::pin(ready(Ok(Ok(Began { xid: xid(begun) }))))
    }

    fn register(&self, _: Register) -> Answer<Result<Joined, JoinRefused>> {
        Box::pin(ready(Ok(Ok(Joined {
            alias: Alias(1),
            repeat: false,
        }))))
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        Box::pin(ready(Ok(Ok(report.value))))
    }

    fn commit(&self, commit: Commit) -> Answer<DecisionAnswer> {
        let names = commit.succeeded.iter().map(|alias| alias.0).collect();
        let abandoned = commit.abandoned.iter().map(ToString::to_string).collect();
        self.note(Asked::Commit(counter(&commit.xid), names, abandoned));
        self.decide(DecisionAnswer::Committed)
    }

    fn rollback(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.note(Asked::Rollback(counter(&xid)));
        self.decide(DecisionAnswer::RolledBack(RollbackReason::Requested))
    }

    fn outcome(&self, _: Xid) -> Answer<DecisionAnswer> {
        self.decide(DecisionAnswer::Open)
    }

    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        Box::pin(ready(Ok(vec![InDoubtAnswer::Wait; questions.len()])))
    }

    fn admin(&self, _: AdminRequest) -> Answer<AdminAnswer> {
        Box::pin(ready(Ok(AdminAnswer::Refused(
            AdminRefusal::NoSuchTransaction,
        ))))
    }

    fn attach(&self, _: Arc<dyn PhaseTwoHandler>) -> Attachment {
        Attachment::new(|| ())
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}
