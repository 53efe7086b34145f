//! Begin, register, report: what happens to a transaction while it is open (TC3, TC4, N4).

use std::sync::Arc;

use unanimous_protocol::message::{
    Began, Begin, BeginRefused, JoinRefused, Joined, Register, Report, ReportAnswer, ReportRefused,
};
use unanimous_protocol::{Alias, BranchState, OwnXid, limits};

use super::effect::{Delay, Effect, Reply};
use super::event::{RequestId, Room, SessionId, Timer};
use super::record::{About, Record, Registration};
use super::rules::Rules;
use super::state::{Branch, Entry, Pending, Phase, Service, Transaction};
use super::turn::{Force, Turn};

/// Registrations that the protocol allows to lose are not written at all: losing them always is
/// one of the ways of losing them that were checked (E2), and the commit record names its branches
/// itself (TC6). Mutants that build on them get them.
pub(super) const fn writes_lazy_registrations<R: Rules>() -> bool {
    !R::OPEN_DIES_WITH_INCARNATION || !R::COMMIT_IS_SELF_CONTAINED
}

impl<R: Rules> Turn<'_, R> {
    pub(super) fn begin(&mut self, request: RequestId, application: Arc<str>, begin: Begin) {
        if let Some(why) = self.refuses_begin() {
            return self.reply(request, Reply::Began(Err(why)));
        }
        self.state.counter += 1;
        let xid = OwnXid {
            incarnation: self.state.own,
            counter: self.state.counter,
        };
        let transaction = Transaction {
            about: About {
                name: begin.name,
                application,
            },
            phase: Phase::Open,
            branches: Vec::new(),
        };
        // TC3: a begin is not on record; a start that finds nothing answers "rolled back" (TC2).
        let era = self.state.eras.entry(xid.incarnation).or_default();
        era.transactions
            .insert(xid.counter, Entry::Live(Box::new(transaction)));
        self.state.undecided += 1;
        self.effects.push(Effect::SetTimer {
            timer: Timer::Deadline(xid),
            delay: Delay::For(begin.timeout.min(limits::TIMEOUT_MAX)),
        });
        self.reply(request, Reply::Began(Ok(Began { xid: xid.into() })));
    }

    fn refuses_begin(&self) -> Option<BeginRefused> {
        if self.state.service == Service::Stopping {
            Some(BeginRefused::Stopping)
        } else if self.state.room == Room::Full {
            Some(BeginRefused::StoreFull)
        } else {
            None
        }
    }

    pub(super) fn register(&mut self, request: RequestId, home: SessionId, register: Register) {
        let Some(xid) = register.xid.own() else {
            return self.refuse_join(request, JoinRefused::Foreign);
        };
        let open = match self.state.live(xid) {
            Some(transaction) => {
                // TC4, G5: after the decision no branch joins.
                transaction.phase == Phase::Open || !R::REGISTER_CLOSES_AT_DECISION
            }
            None => false,
        };
        if !open {
            let why = self.why_not_open(xid);
            return self.refuse_join(request, why);
        }
        match self.known_branch(request, xid, &register) {
            Known::New => self.join(request, home, xid, register),
            Known::Joining => {}
            Known::Joined(alias) => self.joined(request, alias, true),
            Known::Refused(why) => self.refuse_join(request, why),
        }
    }

    fn refuse_join(&mut self, request: RequestId, why: JoinRefused) {
        self.reply(request, Reply::Joined(Err(why)));
    }

    fn joined(&mut self, request: RequestId, alias: Alias, repeat: bool) {
        self.reply(request, Reply::Joined(Ok(Joined { alias, repeat })));
    }

    fn known_branch(&mut self, request: RequestId, xid: OwnXid, register: &Register) -> Known {
        let branches_max = self.state.settings.branches_max;
        let Some(transaction) = self.state.live_mut(xid) else {
            return Known::Refused(JoinRefused::AlreadyDecided);
        };
        let branches = &mut transaction.branches;
        let room = branches.len() < branches_max;
        let known = branches
            .iter_mut()
            .find(|branch| branch.registration.call == register.call);
        match known {
            // N4: the first registration binds the call id.
            Some(branch) if R::BIND_CALL_ID && !is_same(&branch.registration, register) => {
                Known::Refused(JoinRefused::CallIdReused)
            }
            Some(branch) if branch.state == BranchState::Joining => {
                if !branch.waiting.contains(&request) {
                    branch.waiting.push(request);
                }
                Known::Joining
            }
            Some(branch) => Known::Joined(branch.registration.alias),
            None if !room => Known::Refused(JoinRefused::TooManyBranches),
            None => Known::New,
        }
    }

    /// TC4: the branch belongs to the transaction from here on; a forced kind is answered when its
    /// registration is durable.
    fn join(&mut self, request: RequestId, home: SessionId, xid: OwnXid, register: Register) {
        let kind = register.kind;
        let forced = kind.is_forced() && R::REGISTER_FORCED_KINDS;
        let Some(transaction) = self.state.live_mut(xid) else {
            return;
        };
        let last = transaction.branches.last();
        let alias = Alias(last.map_or(1, |branch| branch.registration.alias.0 + 1));
        let registration = Arc::new(bind(alias, register));
        let state = if forced {
            BranchState::Joining
        } else {
            BranchState::Joined
        };
        let mut branch = Branch::new(registration.clone(), state);
        branch.home = Some(home);
        if forced {
            branch.waiting.push(request);
        }
        let about = transaction.about.clone();
        transaction.branches.push(branch);
        let record = Record::Branch {
            xid,
            about,
            registration,
        };
        if forced {
            let position = self.append(record, Force::Forced);
            let pending = Pending::Joined(xid, alias);
            self.state.pending.push_back((position, pending));
            return;
        }
        if kind.is_forced() || writes_lazy_registrations::<R>() {
            self.append(record, Force::Lazy);
        }
        self.joined(request, alias, false);
    }

    /// A forced registration is durable. It is answered only if the transaction is still open;
    /// what was decided meanwhile has refused whoever waited.
    pub(super) fn registration_durable(&mut self, xid: OwnXid, alias: Alias) {
        let Some(branch) = self.state.branch_mut((xid, alias)) else {
            return;
        };
        if branch.state != BranchState::Joining {
            return;
        }
        branch.become_(BranchState::Joined);
        let waiting = std::mem::take(&mut branch.waiting);
        for (index, request) in waiting.into_iter().enumerate() {
            self.joined(request, alias, index > 0);
        }
    }

    /// The transaction is being decided: registrations that are not durable yet are refused, and
    /// their branches share its fate.
    pub(super) fn close_door(&mut self, xid: OwnXid) {
        if !R::JOINS_AT_ONCE {
            return;
        }
        let Some(transaction) = self.state.live_mut(xid) else {
            return;
        };
        let mut refused = Vec::new();
        for branch in &mut transaction.branches {
            if branch.state == BranchState::Joining {
                refused.append(&mut branch.waiting);
                branch.become_(BranchState::Joined);
            }
        }
        for request in refused {
            self.refuse_join(request, JoinRefused::AlreadyDecided);
        }
    }

    /// The first report stands: confirm sees the value that the caller was answered from.
    pub(super) fn report(&mut self, request: RequestId, report: Report) {
        let answer = self.stands(report);
        self.reply(request, Reply::Reported(answer));
    }

    fn stands(&mut self, report: Report) -> ReportAnswer {
        let transaction = report.xid.own().and_then(|xid| self.state.live_mut(xid));
        let Some(transaction) = transaction.filter(|tx| tx.phase == Phase::Open) else {
            return Err(ReportRefused::AlreadyDecided);
        };
        let branch = transaction.branches.iter_mut().find(|branch| {
            branch.registration.call == report.call && branch.state == BranchState::Joined
        });
        let branch = branch.ok_or(ReportRefused::NotJoined)?;
        Ok(branch.reported.get_or_insert(report.value).clone())
    }
}

/// What is known of a call id that registers.
enum Known {
    New,
    /// Its registration is being forced.
    Joining,
    Joined(Alias),
    Refused(JoinRefused),
}

fn is_same(bound: &Registration, register: &Register) -> bool {
    bound.resource == register.resource
        && bound.action == register.action
        // What is on record, and what phase two is told, depend on it.
        && bound.kind == register.kind
        && bound.digest == register.digest
}

fn bind(alias: Alias, register: Register) -> Registration {
    Registration {
        alias,
        call: register.call,
        resource: register.resource,
        action: register.action,
        kind: register.kind,
        digest: register.digest,
        arguments: register.arguments,
        trace: register.trace,
    }
}
