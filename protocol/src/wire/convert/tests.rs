use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use super::strategies::{admin_answer, admin_request, from_client, from_server};
use crate::ids::{Alias, CallId, DatabaseId, Incarnation, Resource, Xid};
use crate::limits;
use crate::message::*;
use crate::state::{BranchKind, BranchState, Decision, GlobalState};
use crate::wire::{FromClient, FromServer, ServerRequest, v1};

proptest! {
    #[test]
    fn what_a_client_sends_arrives_as_it_was(sent in from_client(), id: u64) {
        let bytes = sent.to_frame(id).encode_to_vec();
        let frame = v1::ClientFrame::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(frame.id, id);
        prop_assert_eq!(FromClient::of_frame(frame), Ok(sent));
    }

    #[test]
    fn what_a_server_sends_arrives_as_it_was(sent in from_server(), id: u64) {
        let bytes = sent.to_frame(id).encode_to_vec();
        let frame = v1::ServerFrame::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(frame.id, id);
        prop_assert_eq!(FromServer::of_frame(frame), Ok(sent));
    }

    #[test]
    fn an_operators_requests_and_answers_arrive_as_they_were(
        request in admin_request(),
        answer in admin_answer(),
    ) {
        prop_assert_eq!(v1::AdminRequest::from(&request).try_into(), Ok(request));
        prop_assert_eq!(v1::AdminAnswer::from(&answer).try_into(), Ok(answer));
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(frame) = v1::ClientFrame::decode(bytes.as_slice()) {
            let _ = FromClient::of_frame(frame);
        }
        if let Ok(frame) = v1::ServerFrame::decode(bytes.as_slice()) {
            let _ = FromServer::of_frame(frame);
        }
        if let Ok(request) = v1::AdminRequest::decode(bytes.as_slice()) {
            let _ = AdminRequest::try_from(request);
        }
        if let Ok(answer) = v1::AdminAnswer::decode(bytes.as_slice()) {
            let _ = AdminAnswer::try_from(answer);
        }
    }

    #[test]
    fn a_frame_with_a_flipped_byte_is_decoded_or_refused(
        sent in from_client(),
        at: prop::sample::Index,
        flip in 1..=255u8,
    ) {
        let mut bytes = sent.to_frame(7).encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(frame) = v1::ClientFrame::decode(bytes.as_slice()) {
            let _ = FromClient::of_frame(frame);
        }
    }
}

fn client(body: v1::client_frame::Body) -> Result<FromClient, String> {
    let frame = v1::ClientFrame {
        id: 1,
        body: Some(body),
    };
    FromClient::of_frame(frame).map_err(|error| error.to_string())
}

fn good_register() -> v1::Register {
    v1::Register {
        xid: "x".to_owned(),
        call: "a:1".to_owned(),
        resource: Some(v1::Resource {
            participant: "p".to_owned(),
            database: None,
        }),
        action: "debit".to_owned(),
        kind: v1::BranchKind::Fenced.into(),
        digest: vec![0; 32],
        arguments: None,
        trace: None,
    }
}

type Spoil = fn(&mut v1::Register);

#[test]
fn a_malformed_registration_names_its_field() {
    assert!(client(v1::client_frame::Body::Register(good_register())).is_ok());
    let cases: [(Spoil, &str); 10] = [
        (
            |r| r.xid.clear(),
            "the field `xid` is refused: an xid must not be empty",
        ),
        (
            |r| r.xid = "x".repeat(129),
            "the field `xid` is refused: an xid has at most 128 bytes",
        ),
        (
            |r| r.call = "a".to_owned(),
            "the field `call` is refused: `a` is not a component",
        ),
        (
            |r| r.resource = None,
            "the field `resource` is missing, or was written by a newer",
        ),
        (
            |r| {
                r.resource = Some(v1::Resource {
                    participant: "p".to_owned(),
                    database: Some(vec![1]),
                });
            },
            "the field `database` has 1 bytes, expected 16",
        ),
        (
            |r| r.kind = 0,
            "the field `kind` has the value 0, which this version does not know",
        ),
        (
            |r| r.kind = 99,
            "the field `kind` has the value 99, which this version does not know",
        ),
        (
            |r| r.digest.truncate(31),
            "the field `digest` has 31 bytes, expected 32",
        ),
        (
            |r| r.arguments = Some("x".repeat(65_537)),
            "the field `arguments` has 65537 bytes, at most 65536 are taken",
        ),
        (
            |r| r.trace = Some("x".repeat(257)),
            "the field `trace` has 257 bytes, at most 256 are taken",
        ),
    ];
    for (spoil, message) in cases {
        let mut register = good_register();
        spoil(&mut register);
        let error = client(v1::client_frame::Body::Register(register)).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn counts_beyond_their_limits_are_refused() {
    let commit = |succeeded, abandoned| {
        client(v1::client_frame::Body::Commit(v1::Commit {
            xid: "x".to_owned(),
            succeeded: (0..succeeded).collect(),
            abandoned: (1..=abandoned).map(|n| format!("~tolerate:{n}")).collect(),
        }))
    };
    assert!(commit(1_000, 64).is_ok());
    assert_eq!(
        commit(1_001, 0).unwrap_err(),
        "the field `succeeded` has 1001 elements, at most 1000 are taken"
    );
    assert_eq!(
        commit(0, 65).unwrap_err(),
        "the field `abandoned` has 65 elements, at most 64 are taken"
    );
}

#[test]
fn tc6_a_commit_that_abandons_its_own_root_is_refused() {
    let commit = v1::Commit {
        xid: "x".to_owned(),
        succeeded: vec![],
        abandoned: vec![String::new()],
    };
    assert_eq!(
        client(v1::client_frame::Body::Commit(commit)).unwrap_err(),
        "the field `abandoned` is refused: it names the scope that began"
    );
}

#[test]
fn a_frame_of_a_newer_version_is_not_taken_for_an_empty_one() {
    // Field 99 of the oneof is unknown here: prost skips it and leaves no body.
    let bytes = [0x08, 0x01, 0x9a, 0x06, 0x00];
    let frame = v1::ClientFrame::decode(bytes.as_slice()).unwrap();
    assert_eq!(
        FromClient::of_frame(frame).unwrap_err().to_string(),
        "the field `body` is missing, or was written by a newer version"
    );
}

#[test]
fn tm4_an_answer_without_a_known_verdict_is_no_answer() {
    let decode = |verdict, reason| {
        DecisionAnswer::try_from(v1::DecisionAnswer { verdict, reason }).map_err(|e| e.to_string())
    };
    assert_eq!(decode(1, 0), Ok(DecisionAnswer::Committed));
    assert!(decode(0, 0).unwrap_err().contains("the value 0"));
    assert!(decode(6, 0).unwrap_err().contains("the value 6"));
    assert!(
        decode(2, 0)
            .unwrap_err()
            .contains("`reason` has the value 0")
    );
    assert!(
        decode(2, 77)
            .unwrap_err()
            .contains("`reason` has the value 77")
    );
    assert!(
        decode(1, 3)
            .unwrap_err()
            .contains("only a rollback has one")
    );
}

#[test]
fn users_values_are_left_out_of_what_is_printed() {
    let secret = "canary-4711";
    let mut register = good_register();
    register.arguments = Some(secret.to_owned());
    let reported = v1::Reported {
        tried: Some(secret.to_owned()),
        kept: [(secret.to_owned(), secret.to_owned())].into(),
    };
    let phase_two = v1::PhaseTwo {
        arguments: Some(secret.to_owned()),
        reported: Some(reported.clone()),
        ..v1::PhaseTwo::default()
    };
    let report = v1::Report {
        value: Some(reported),
        ..v1::Report::default()
    };
    for printed in [
        format!("{register:?}"),
        format!("{report:?}"),
        format!("{phase_two:?}"),
    ] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn long_texts_for_people_are_cut_at_a_whole_character() {
    let error: Arc<str> = "ß".repeat(1_000).into();
    let sent = BranchResult::NotHere { error };
    match BranchResult::try_from(v1::BranchResult::from(&sent)) {
        Ok(BranchResult::NotHere { error }) => assert_eq!(error.len(), limits::TEXT_BYTES_MAX),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wait_is_rounded_up_to_whole_milliseconds() {
    let name = "n".parse().unwrap();
    let begin = Begin {
        name,
        timeout: Duration::from_nanos(1),
        trace: None,
    };
    assert_eq!(v1::Begin::from(&begin).timeout_ms, 1);
}

fn long_xid() -> Xid {
    "x".repeat(limits::XID_BYTES_MAX).parse().unwrap()
}

fn long_call(n: usize) -> CallId {
    let component = format!("{}:1", "t".repeat(46));
    let path = format!("{}/{n:039}:1", [component.as_str(); 9].join("/"));
    path.parse().unwrap()
}

fn long_resource() -> Resource {
    Resource {
        participant: "p".repeat(limits::NAME_BYTES_MAX).parse().unwrap(),
        database: Some(DatabaseId([7; 16])),
    }
}

fn long_text() -> Arc<str> {
    "e".repeat(limits::TEXT_BYTES_MAX).into()
}

fn long_summary() -> TransactionSummary {
    TransactionSummary {
        xid: long_xid(),
        name: "n".repeat(limits::NAME_BYTES_MAX).parse().unwrap(),
        application: long_text().to_string(),
        state: GlobalState::Committed,
        reason: None,
        age: Duration::MAX,
        branches: usize::MAX,
        waiting: usize::MAX,
        parked: usize::MAX,
        why: Some(long_text().to_string()),
    }
}

fn long_branch(n: usize) -> BranchDetail {
    BranchDetail {
        alias: Alias(u32::MAX),
        call: long_call(n),
        resource: long_resource(),
        action: "a".repeat(limits::NAME_BYTES_MAX).parse().unwrap(),
        kind: BranchKind::Fenced,
        state: BranchState::Parked,
        decision: Some(Decision::Commit),
        attempts: u32::MAX,
        last_error: Some(long_text()),
        parked: Some(ParkReason::GaveUp(long_text())),
        why: Some(long_text().to_string()),
    }
}

#[test]
fn the_largest_question_fits_a_frame() {
    let question = |n| InDoubtQuestion {
        xid: long_xid(),
        call: long_call(n),
        resource: long_resource(),
        given_up: Some("ä".repeat(limits::NAME_BYTES_MAX / 2).parse().unwrap()),
    };
    let questions = (0..limits::IN_DOUBT_BATCH_MAX).map(question).collect();
    let bytes = ServerRequest::InDoubt(questions).to_frame(1).encoded_len();
    assert!(bytes < limits::FRAME_BYTES_MAX, "{bytes}");
}

#[test]
fn the_largest_answers_to_an_operator_fit_a_frame() {
    let list = AdminAnswer::Transactions(vec![long_summary(); limits::LIST_MAX]);
    let bytes = v1::AdminAnswer::from(&list).encoded_len();
    assert!(bytes < limits::FRAME_BYTES_MAX, "{bytes}");
    let detail = AdminAnswer::Transaction(Box::new(TransactionDetail {
        summary: long_summary(),
        branches: (0..limits::BRANCHES_MAX).map(long_branch).collect(),
    }));
    let bytes = v1::AdminAnswer::from(&detail).encoded_len();
    assert!(bytes < limits::FRAME_BYTES_MAX, "{bytes}");
}

#[test]
fn the_largest_delivery_fits_a_frame_and_is_taken() {
    let json: Json = "j".repeat(limits::ARGUMENTS_BYTES_MAX).into();
    let kept = "v".repeat(limits::ARGUMENTS_BYTES_MAX - 1).into();
    let phase_two = PhaseTwo {
        xid: long_xid(),
        call: long_call(1),
        alias: Alias(1),
        resource: long_resource(),
        action: "a".parse().unwrap(),
        kind: BranchKind::Unfenced,
        decision: Decision::Commit,
        arguments: Some(json.clone()),
        reported: Some(Reported {
            tried: Some(json),
            kept: [("k".into(), kept)].into(),
        }),
        trace: None,
        by_operator: ByOperator::No,
    };
    let frame = FromServer::PhaseTwo(1, phase_two).to_frame(1);
    assert!(frame.encoded_len() < limits::FRAME_BYTES_MAX);
    assert!(FromServer::of_frame(frame).is_ok());
}

/// Functions on one database, and so many starts of the coordinator that it has met.
fn functions(functions: usize, starts: u64) -> Attach {
    let horizons = (0..starts).map(|number| {
        let random = u64::MAX - number;
        (Incarnation { number, random }, u64::MAX)
    });
    let horizons = Arc::new(horizons.collect());
    let resources = (0..functions).map(|n| AttachResource {
        resource: Resource {
            participant: format!("{n:0>128}").parse().unwrap(),
            ..long_resource()
        },
        actions: [format!("{n:0>128}").parse().unwrap()].into(),
        horizons: Arc::clone(&horizons),
    });
    Attach {
        application: "shop".to_owned(),
        principal: "anonymous".to_owned(),
        known_log: None,
        newest: None,
        resources: resources.collect(),
    }
}

#[test]
fn a_thousand_functions_on_one_database_that_met_every_start_fit_a_frame() {
    let attach = functions(limits::RESOURCES_MAX, limits::INCARNATIONS_MAX as u64);
    let sent = FromClient::Attach(vec![(1, attach)]);
    assert!(
        sent.frame_bytes() < limits::FRAME_BYTES_MAX,
        "{}",
        sent.frame_bytes()
    );
    let arrived = FromClient::of_frame(sent.to_frame(1)).unwrap();
    assert_eq!(arrived, sent);
    // And take no more room there.
    let FromClient::Attach(all) = arrived else {
        panic!("it was an attachment");
    };
    let [first, .., last] = &all[0].1.resources[..] else {
        panic!("it has many resources");
    };
    assert!(Arc::ptr_eq(&first.horizons, &last.horizons));
}

#[test]
fn horizons_of_each_resource_are_taken_from_clients_of_the_first_version() {
    let attach = functions(2, 3);
    let mut sent = v1::Attach::from(&attach);
    let shared = std::mem::take(&mut sent.databases);
    for resource in &mut sent.resources {
        resource.horizons.clone_from(&shared[0].horizons);
    }
    assert_eq!(Attach::try_from(sent), Ok(attach));
}

#[test]
fn horizons_told_twice_are_refused() {
    let attach = v1::Attach::from(&functions(2, 3));
    let refused = |attach: v1::Attach| Attach::try_from(attach).unwrap_err().to_string();
    let mut both = attach.clone();
    both.resources[1]
        .horizons
        .clone_from(&attach.databases[0].horizons);
    assert_eq!(
        refused(both),
        "the field `horizons` is refused: the resource presents others than its database"
    );
    let mut twice = attach.clone();
    twice.databases.extend(attach.databases.clone());
    assert_eq!(
        refused(twice),
        "the field `databases` is refused: a database stands there twice"
    );
    let mut short = attach;
    short.databases[0].identity.pop();
    assert_eq!(
        refused(short),
        "the field `identity` has 15 bytes, expected 16"
    );
}

/// Two pools of one database may be read at different times.
#[test]
fn resources_of_one_database_that_present_different_horizons_keep_them() {
    let mut attach = functions(3, 2);
    attach.resources[1].horizons = Arc::default();
    let sent = FromClient::Attach(vec![(1, attach)]);
    assert_eq!(FromClient::of_frame(sent.to_frame(1)), Ok(sent));
}
