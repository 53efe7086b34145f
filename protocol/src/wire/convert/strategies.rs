//! Every message there is, for property tests.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;

use crate::ids::{
    ActionName, Alias, CallId, DatabaseId, Digest, Incarnation, LogId, Resource, Xid,
};
use crate::limits;
use crate::message::*;
use crate::outcome::RollbackReason;
use crate::state::{BranchKind, BranchState, Decision, GlobalState};
use crate::wire::{FailureKind, FromClient, FromServer, ServerAnswer, ServerRequest};

fn xid() -> impl Strategy<Value = Xid> {
    "[!-~]{1,128}".prop_map(|text| text.parse().unwrap())
}

fn call() -> impl Strategy<Value = CallId> {
    let path = vec("[a-zA-Z0-9._~-]{1,20}:[1-9]", 1..5);
    path.prop_map(|path| path.join("/").parse().unwrap())
}

fn action() -> impl Strategy<Value = ActionName> {
    "[a-zß ]{1,40}".prop_map(|text| text.parse().unwrap())
}

fn text() -> impl Strategy<Value = Arc<str>> {
    "\\PC{0,60}".prop_map(Into::into)
}

fn resource() -> impl Strategy<Value = Resource> {
    ("[a-zß]{1,40}", of(any::<[u8; 16]>())).prop_map(|(name, database)| Resource {
        participant: name.parse().unwrap(),
        database: database.map(DatabaseId),
    })
}

fn incarnation() -> impl Strategy<Value = Incarnation> {
    any::<(u64, u64)>().prop_map(|(number, random)| Incarnation { number, random })
}

fn horizon() -> impl Strategy<Value = Horizon> {
    (any::<u64>(), btree_set(any::<u64>(), 0..5)).prop_map(|(counter, listed)| Horizon {
        counter,
        listed: listed
            .into_iter()
            .filter(|listed| *listed <= counter)
            .collect(),
    })
}

fn trace() -> impl Strategy<Value = Option<TraceContext>> {
    of(text().prop_map(TraceContext))
}

fn wait() -> impl Strategy<Value = Duration> {
    (0..=604_800_000u64).prop_map(Duration::from_millis)
}

fn reason() -> impl Strategy<Value = RollbackReason> {
    use RollbackReason::*;
    prop::sample::select(vec![
        BranchesDiffer,
        Operator,
        Requested,
        TimedOut,
        NotRecorded,
        Stopped,
    ])
}

fn kind() -> impl Strategy<Value = BranchKind> {
    prop::sample::select(vec![
        BranchKind::Fenced,
        BranchKind::Unfenced,
        BranchKind::AlwaysCancel,
    ])
}

fn decision() -> impl Strategy<Value = Decision> {
    prop::sample::select(vec![Decision::Commit, Decision::Rollback])
}

fn park() -> impl Strategy<Value = ParkReason> {
    prop_oneof![
        text().prop_map(ParkReason::GaveUp),
        Just(ParkReason::Missing),
        Just(ParkReason::RefusedConfirmed),
        Just(ParkReason::RefusedCancelled),
        text().prop_map(ParkReason::Undecodable),
        text().prop_map(ParkReason::ByOperator),
        Just(ParkReason::WrittenOff),
    ]
}

fn reported() -> impl Strategy<Value = Reported> {
    (
        of(text()),
        btree_map("[a-zß]{0,40}".prop_map(Into::into), text(), 0..4),
    )
        .prop_map(|(tried, kept)| Reported { tried, kept })
}

fn register() -> impl Strategy<Value = Register> {
    let parts = (
        xid(),
        call(),
        resource(),
        action(),
        kind(),
        any::<[u8; 32]>(),
        of(text()),
        trace(),
    );
    parts.prop_map(
        |(xid, call, resource, action, kind, digest, arguments, trace)| Register {
            xid,
            call,
            resource,
            action,
            kind,
            digest: Digest(digest),
            arguments,
            trace,
        },
    )
}

fn commit() -> impl Strategy<Value = Commit> {
    let parts = (
        xid(),
        btree_set(any::<u32>(), 0..9),
        btree_set(call(), 0..4),
    );
    parts.prop_map(|(xid, succeeded, abandoned)| Commit {
        xid,
        succeeded: succeeded.into_iter().map(Alias).collect(),
        abandoned,
    })
}

fn in_doubt() -> impl Strategy<Value = InDoubtQuestion> {
    let parts = (xid(), call(), resource(), of(action()));
    parts.prop_map(|(xid, call, resource, given_up)| InDoubtQuestion {
        xid,
        call,
        resource,
        given_up,
    })
}

fn attach() -> impl Strategy<Value = Attach> {
    let resource = (
        resource(),
        btree_set(action(), 0..4),
        btree_map(incarnation(), any::<u64>(), 0..3),
    )
        .prop_map(|(resource, actions, horizons)| AttachResource {
            resource,
            actions,
            horizons: Arc::new(horizons),
        });
    // Mostly several of one database: what they present alike travels once.
    let resources = vec(resource, 0..4).prop_map(|mut resources| {
        if let [first, others @ ..] = &mut resources[..] {
            for other in others {
                if other.horizons.len() == 1 {
                    other.resource.database = first.resource.database;
                } else if other.horizons.is_empty() {
                    other.resource.database = first.resource.database;
                    other.horizons = Arc::clone(&first.horizons);
                }
            }
        }
        resources
    });
    let parts = (
        text(),
        text(),
        of(any::<[u8; 16]>()),
        of(incarnation()),
        resources,
    );
    parts.prop_map(|(application, principal, log, newest, resources)| Attach {
        application: application.to_string(),
        principal: principal.to_string(),
        known_log: log.map(LogId),
        newest,
        resources,
    })
}

fn result() -> impl Strategy<Value = BranchResult> {
    prop_oneof![
        Just(BranchResult::Ended),
        (text(), of(wait())).prop_map(|(error, after)| BranchResult::Retry { error, after }),
        text().prop_map(|error| BranchResult::NotHere { error }),
        park().prop_map(BranchResult::Park),
    ]
}

pub(super) fn from_client() -> impl Strategy<Value = FromClient> {
    let begin = ("[a-zß ]{1,40}", wait(), trace()).prop_map(|(name, timeout, trace)| {
        ServerRequest::Begin(Begin {
            name: name.parse().unwrap(),
            timeout,
            trace,
        })
    });
    let report = (xid(), call(), reported())
        .prop_map(|(xid, call, value)| ServerRequest::Report(Report { xid, call, value }));
    let request = prop_oneof![
        begin,
        register().prop_map(ServerRequest::Register),
        report,
        commit().prop_map(ServerRequest::Commit),
        xid().prop_map(ServerRequest::Rollback),
        xid().prop_map(ServerRequest::Outcome),
        vec(in_doubt(), 0..4).prop_map(ServerRequest::InDoubt),
    ];
    prop_oneof![
        (any::<u32>(), text()).prop_map(|(version, application)| FromClient::Hello {
            version,
            application
        }),
        request.prop_map(FromClient::Request),
        vec((1..u64::MAX, attach()), 0..3).prop_map(FromClient::Attach),
        Just(FromClient::Detach),
        (any::<u64>(), xid(), any::<u32>(), result()).prop_map(
            |(attachment, xid, alias, result)| FromClient::BranchAnswer {
                attachment,
                xid,
                alias: Alias(alias),
                result,
            }
        ),
        (any::<u64>(), incarnation(), any::<u64>()).prop_map(
            |(attachment, incarnation, counter)| FromClient::HorizonAck {
                attachment,
                incarnation,
                counter,
            }
        ),
    ]
}

fn phase_two() -> impl Strategy<Value = PhaseTwo> {
    let by_operator =
        prop::sample::select(vec![ByOperator::No, ByOperator::Retry, ByOperator::Resolve]);
    let names = (xid(), call(), any::<u32>(), resource(), action(), kind());
    let rest = (decision(), of(text()), of(reported()), trace(), by_operator);
    (names, rest).prop_map(|((xid, call, alias, resource, action, kind), rest)| {
        let (decision, arguments, reported, trace, by_operator) = rest;
        let alias = Alias(alias);
        PhaseTwo {
            xid,
            call,
            alias,
            resource,
            action,
            kind,
            decision,
            arguments,
            reported,
            trace,
            by_operator,
        }
    })
}

fn answer() -> impl Strategy<Value = ServerAnswer> {
    use JoinRefused::*;
    let join = prop::sample::select(vec![AlreadyDecided, CallIdReused, TooManyBranches, Foreign]);
    let begin = prop::sample::select(vec![BeginRefused::Stopping, BeginRefused::StoreFull]);
    let report = prop::sample::select(vec![
        ReportRefused::AlreadyDecided,
        ReportRefused::NotJoined,
    ]);
    let decision = prop_oneof![
        Just(DecisionAnswer::Committed),
        reason().prop_map(DecisionAnswer::RolledBack),
        Just(DecisionAnswer::Open),
        Just(DecisionAnswer::Forgotten),
        Just(DecisionAnswer::Foreign),
    ];
    let in_doubt = prop::sample::select(vec![
        InDoubtAnswer::Wait,
        InDoubtAnswer::Committed,
        InDoubtAnswer::RolledBack,
        InDoubtAnswer::Forgotten,
        InDoubtAnswer::Foreign,
    ]);
    prop_oneof![
        xid().prop_map(|xid| ServerAnswer::Begin(Ok(Began { xid }))),
        begin.prop_map(|refused| ServerAnswer::Begin(Err(refused))),
        any::<(u32, bool)>().prop_map(|(alias, repeat)| {
            ServerAnswer::Register(Ok(Joined {
                alias: Alias(alias),
                repeat,
            }))
        }),
        join.prop_map(|refused| ServerAnswer::Register(Err(refused))),
        reported().prop_map(|stands| ServerAnswer::Report(Ok(stands))),
        report.prop_map(|refused| ServerAnswer::Report(Err(refused))),
        decision.prop_map(ServerAnswer::Decision),
        vec(in_doubt, 0..9).prop_map(ServerAnswer::InDoubt),
    ]
}

pub(super) fn from_server() -> impl Strategy<Value = FromServer> {
    use FailureKind::*;
    let info = (incarnation(), horizon()).prop_map(|(incarnation, horizon)| IncarnationInfo {
        incarnation,
        horizon,
    });
    let attached = (any::<[u8; 16]>(), vec(info, 0..3)).prop_map(|(log, incarnations)| Attached {
        log: LogId(log),
        incarnations,
    });
    let verdict = prop_oneof![
        attached.prop_map(Ok),
        incarnation().prop_map(|newest| Err(AttachRefused::Replaced { newest })),
        Just(Err(AttachRefused::Stopping)),
        text().prop_map(|why| Err(AttachRefused::NotTaken { why })),
    ];
    let kind = prop::sample::select(vec![Protocol, Failed, Refused, Unavailable]);
    prop_oneof![
        any::<u32>().prop_map(|version| FromServer::Welcome { version }),
        (kind, text()).prop_map(|(kind, why)| FromServer::Failure { kind, why }),
        answer().prop_map(FromServer::Answer),
        vec((any::<u64>(), verdict), 0..3).prop_map(FromServer::Attached),
        (any::<u64>(), phase_two()).prop_map(|(id, phase_two)| FromServer::PhaseTwo(id, phase_two)),
        (any::<u64>(), incarnation(), horizon())
            .prop_map(|(id, incarnation, horizon)| FromServer::Horizon(id, incarnation, horizon)),
    ]
}

fn summary() -> impl Strategy<Value = TransactionSummary> {
    use GlobalState::*;
    let state = prop::sample::select(vec![
        Open, Deciding, Committed, RolledBack, Finished, Forgotten,
    ]);
    let names = (xid(), "[a-z]{1,9}", text(), state, of(reason()));
    let rest = (wait(), any::<[u16; 3]>(), of("\\PC{0,60}"));
    (names, rest).prop_map(
        |((xid, name, application, state, reason), (age, counts, why))| {
            let [branches, waiting, parked] = counts.map(usize::from);
            TransactionSummary {
                xid,
                name: name.parse().unwrap(),
                application: application.to_string(),
                state,
                reason,
                age,
                branches,
                waiting,
                parked,
                why,
            }
        },
    )
}

fn branch() -> impl Strategy<Value = BranchDetail> {
    use BranchState::*;
    let state = prop::sample::select(vec![Joining, Joined, Parked, Ended]);
    let names = (any::<u32>(), call(), resource(), action(), kind());
    let rest = (
        state,
        of(decision()),
        any::<u32>(),
        of(text()),
        of(park()),
        of("\\PC{0,60}"),
    );
    (names, rest).prop_map(|((alias, call, resource, action, kind), rest)| {
        let (state, decision, attempts, last_error, parked, why) = rest;
        let alias = Alias(alias);
        BranchDetail {
            alias,
            call,
            resource,
            action,
            kind,
            state,
            decision,
            attempts,
            last_error,
            parked,
            why,
        }
    })
}

pub(super) fn admin_answer() -> impl Strategy<Value = AdminAnswer> {
    let refusal = prop_oneof![
        Just(AdminRefusal::NoSuchTransaction),
        Just(AdminRefusal::NoSuchBranch),
        "\\PC{0,60}".prop_map(|hint| AdminRefusal::WrongState {
            state: GlobalState::Open,
            hint: hint.into(),
        }),
        Just(AdminRefusal::BranchEnded),
        Just(AdminRefusal::NotForeign),
        Just(AdminRefusal::NeverIssued),
    ];
    prop_oneof![
        vec(summary(), 0..3).prop_map(AdminAnswer::Transactions),
        (summary(), vec(branch(), 0..3)).prop_map(|(summary, branches)| {
            AdminAnswer::Transaction(Box::new(TransactionDetail { summary, branches }))
        }),
        any::<bool>().prop_map(AdminAnswer::Settled),
        any::<u16>().prop_map(|branches| AdminAnswer::Done(usize::from(branches))),
        refusal.prop_map(AdminAnswer::Refused),
    ]
}

pub(super) fn admin_request() -> impl Strategy<Value = AdminRequest> {
    prop_oneof![
        (any::<bool>(), 0..=limits::LIST_MAX, of(xid())).prop_map(|(finished, limit, after)| {
            AdminRequest::List {
                finished,
                limit,
                after,
            }
        }),
        xid().prop_map(AdminRequest::Show),
        (xid(), call()).prop_map(|(xid, call)| AdminRequest::Retry(xid, call)),
        (xid(), call(), text()).prop_map(|(xid, call, why)| AdminRequest::GiveUp(xid, call, why)),
        xid().prop_map(AdminRequest::RollBack),
        (xid(), call()).prop_map(|(xid, call)| AdminRequest::Resolve(xid, call)),
        any::<[u8; 16]>().prop_map(|database| AdminRequest::WriteOff(DatabaseId(database))),
        (xid(), decision()).prop_map(|(xid, decision)| AdminRequest::Decide(xid, decision)),
        xid().prop_map(AdminRequest::Settled),
    ]
}
