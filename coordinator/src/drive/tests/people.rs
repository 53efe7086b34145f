use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, BranchResult, TransactionDetail, TransactionSummary,
};
use unanimous_protocol::{BranchState, GlobalState};

use super::*;

pub(super) async fn show(rig: &Rig, xid: &Xid) -> TransactionDetail {
    match rig
        .coordinator
        .admin(AdminRequest::Show(xid.clone()))
        .await
        .unwrap()
    {
        AdminAnswer::Transaction(detail) => *detail,
        other => panic!("{other:?}"),
    }
}

async fn list(rig: &Rig, finished: bool, limit: usize) -> Vec<TransactionSummary> {
    let request = AdminRequest::List {
        finished,
        limit,
        after: None,
    };
    match rig.coordinator.admin(request).await.unwrap() {
        AdminAnswer::Transactions(transactions) => transactions,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_list_says_how_old_a_transaction_is_and_why_it_waits() {
    let rig = Rig::new().await;
    rig.pass(Duration::from_secs(3)).await;
    let xid = rig.begin().await;
    let alias = rig.fenced(&xid, "a:1", "account").await;
    rig.commit(&xid, &[alias]).await;
    rig.pass(Duration::from_secs(4)).await;
    let [summary] = &list(&rig, false, 10).await[..] else {
        panic!("one transaction waits");
    };
    assert_eq!(summary.age, Duration::from_secs(4));
    assert_eq!(
        (summary.state, summary.waiting),
        (GlobalState::Committed, 1)
    );
    assert_eq!(
        (summary.name.as_str(), &*summary.application),
        ("purchase", "shop")
    );
    let why = summary.why.as_deref().unwrap();
    assert!(why.contains("no instance of account"), "{why}");

    let mut member = rig.attach("account").await;
    let phase_two = member.try_phase_two().unwrap();
    let why = show(&rig, &xid).await.branches[0].why.clone().unwrap();
    assert!(why.contains("under way"), "{why}");
    member.retry(&phase_two, "database is locked");
    let detail = show(&rig, &xid).await;
    let branch = &detail.branches[0];
    assert_eq!(branch.attempts, 1);
    assert_eq!(branch.last_error.as_deref(), Some("database is locked"));
    for why in [&branch.why, &detail.summary.why] {
        let why = why.as_deref().unwrap();
        assert!(
            why.contains("next attempt in") && why.contains("database is locked"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_finished_transaction_is_still_shown() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    let xid = rig.begin().await;
    let alias = rig.fenced(&xid, "a:1", "account").await;
    rig.commit(&xid, &[alias]).await;
    let phase_two = member.try_phase_two().unwrap();
    member.answer(&phase_two, BranchResult::Ended);
    let open = rig.begin().await;

    assert_eq!(list(&rig, false, 10).await.len(), 1);
    let all = list(&rig, true, 10).await;
    let shown: Vec<_> = all
        .iter()
        .map(|summary| (&summary.xid, summary.state))
        .collect();
    assert_eq!(
        shown,
        [(&open, GlobalState::Open), (&xid, GlobalState::Finished)]
    );
    assert_eq!(
        list(&rig, true, 1).await.len(),
        1,
        "the limit counts both kinds"
    );
    let detail = show(&rig, &xid).await;
    assert_eq!(detail.summary.waiting, 0);
    assert_eq!(detail.branches[0].state, BranchState::Ended);
    let settled = rig
        .coordinator
        .admin(AdminRequest::Settled(xid))
        .await
        .unwrap();
    assert_eq!(settled, AdminAnswer::Settled(true));
}

#[tokio::test]
async fn the_table_of_finished_transactions_is_bounded() {
    let rig = Rig::new().await;
    let first = rig.begin().await;
    rig.commit(&first, &[]).await;
    let kept = unanimous_protocol::limits::FINISHED_KEPT_MAX;
    for _ in 0..kept {
        let xid = rig.begin().await;
        rig.commit(&xid, &[]).await;
    }
    assert_eq!(list(&rig, true, usize::MAX).await.len(), kept);
    let shown = rig
        .coordinator
        .admin(AdminRequest::Show(first))
        .await
        .unwrap();
    assert_eq!(shown, AdminAnswer::Refused(AdminRefusal::NoSuchTransaction));
}
