//! Clients that leave what they are sent unread.

use super::*;
use crate::clock::ManualClock;
use crate::drive::Session;

const ANYBODY: &str = "anonymous";

/// A transaction whose branch waits for the participant to confirm it.
async fn commit_one(session: &Session, resource: &Resource) {
    let begin = Begin {
        name: "purchase".parse().unwrap(),
        timeout: Duration::from_mins(1),
        trace: None,
    };
    let xid = session.begin(begin).await.unwrap().unwrap().xid;
    let register = Register {
        xid: xid.clone(),
        call: "account.debit:1".parse().unwrap(),
        resource: resource.clone(),
        action: "debit".parse().unwrap(),
        kind: BranchKind::Fenced,
        digest: Digest([0; 32]),
        arguments: None,
        trace: None,
    };
    let joined = session.register(register).await.unwrap().unwrap();
    let commit = Commit {
        xid,
        succeeded: [joined.alias].into(),
        abandoned: [].into(),
    };
    let answer = session.commit(commit).await.unwrap();
    assert_eq!(answer, DecisionAnswer::Committed);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off_and_phase_two_goes_on_once_it_attaches_again() {
    let clock = ManualClock::new();
    let options = Options::memory().clock(Arc::new(clock.clone()));
    let served = Served::with(options).await;
    let session = served.coordinator.session("shop", ANYBODY);
    for _ in 0..limits::DELIVERIES_MAX {
        commit_one(&session, &account()).await;
    }
    let mut deaf = Client::welcomed(&served).await;
    deaf.send(1, &attach_account());
    let attached = async {
        while served.coordinator.health().attached == 0 {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, attached).await;
    in_time.expect("it attaches");
    // Each round counts what was delivered as lost, and delivers it again. Nobody reads it; the
    // sockets' own buffers take the first of it.
    let mut rounds = 0;
    while served.coordinator.health().attached > 0 {
        assert!(rounds < 1_000, "everything is kept for it");
        rounds += 1;
        clock.advance(limits::LOST_AFTER + Duration::from_secs(1));
        served.coordinator.fire_due().await;
        tokio::task::yield_now().await;
    }
    // Its connection is closed as well: what it reads now breaks off, where a stream that goes on
    // would tell why it ends.
    let reads = async {
        loop {
            match deaf.answers.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("its connection is left open"),
                Err(_) => break,
            }
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, reads).await;
    in_time.expect("what it reads comes to an end");

    let mut again = Client::welcomed(&served).await;
    again.send(1, &attach_account());
    let attached = again.next().await;
    assert!(
        matches!(attached, Some((1, FromServer::Attached(_)))),
        "{attached:?}"
    );
    for _ in 0..limits::DELIVERIES_MAX {
        let delivered = again.next().await;
        assert!(
            matches!(delivered, Some((0, FromServer::PhaseTwo(5, _)))),
            "{delivered:?}"
        );
    }
}

#[tokio::test]
async fn what_many_resources_have_under_way_at_once_cuts_nobody_off() {
    let resources = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| Resource {
        participant: name.parse().unwrap(),
        database: None,
    });
    let served = Served::start().await;
    let session = served.coordinator.session("shop", ANYBODY);
    for resource in &resources {
        for _ in 0..limits::DELIVERIES_MAX {
            commit_one(&session, resource).await;
        }
    }
    let expected = resources.len() * limits::DELIVERIES_MAX;
    let attached = resources.map(|resource| AttachResource {
        resource,
        actions: ["debit".parse().unwrap()].into(),
        horizons: Arc::default(),
    });
    let attach = Attach {
        application: "test".to_owned(),
        principal: ANYBODY.to_owned(),
        known_log: None,
        newest: None,
        resources: attached.into(),
    };
    let mut client = Client::welcomed(&served).await;
    client.send(1, &FromClient::Attach(vec![(5, attach)]));
    client.next().await;
    for _ in 0..expected {
        let delivered = client.next().await;
        assert!(
            matches!(delivered, Some((0, FromServer::PhaseTwo(5, _)))),
            "{delivered:?}"
        );
    }
}
