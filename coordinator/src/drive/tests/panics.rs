//! E4: a storage that panics ends the service as one that fails does.

use unanimous_protocol::LogId;

use super::*;
use crate::drive::{ServiceError, Status};
use crate::store::RedbStore;
use crate::store::redb::sim::{Fault, SimMedia};

const LOG: LogId = LogId([9; 16]);
const TRANSACTIONS: usize = 4;

fn opened(media: &Arc<SimMedia>, is_new: bool) -> Result<Options, crate::store::StoreError> {
    RedbStore::over(media.clone(), is_new, LOG).map(|store| Options::over(store).seed(1))
}

async fn fresh() -> Vec<u8> {
    let media = Arc::new(SimMedia::new());
    let coordinator = Coordinator::open(opened(&media, true).unwrap()).await;
    coordinator.unwrap().stop().await;
    media.bytes()
}

/// Commits one transaction after the other; tells which were committed, and what ended that.
async fn commits(session: &Session) -> (Vec<Xid>, Option<ServiceError>) {
    let mut committed = Vec::new();
    for _ in 0..TRANSACTIONS {
        let began = match session.begin(begin(Duration::from_mins(1))).await {
            Ok(began) => began.unwrap(),
            Err(error) => return (committed, Some(error)),
        };
        // The branch is forced, and so is the commit.
        let register = register(&began.xid, "a:1", "account", BranchKind::Unfenced);
        let alias = match session.register(register).await {
            Ok(joined) => joined.unwrap().alias,
            Err(error) => return (committed, Some(error)),
        };
        match session.commit(commit(&began.xid, &[alias])).await {
            Ok(answer) => {
                assert_eq!(answer, DecisionAnswer::Committed);
                committed.push(began.xid);
            }
            Err(error) => return (committed, Some(error)),
        }
    }
    (committed, None)
}

/// One start on a storage that panics at this operation and at every later one.
async fn panics_at(start: &[u8], at: u64) -> (Vec<Xid>, Arc<SimMedia>) {
    let media = Arc::new(SimMedia::with_bytes(start));
    media.fail_at(at, Fault::Panic);
    let Ok(options) = opened(&media, false) else {
        return (Vec::new(), media);
    };
    let Ok(coordinator) = Coordinator::open(options).await else {
        return (Vec::new(), media);
    };
    let session = coordinator.session("shop", "anonymous");
    let (committed, error) = commits(&session).await;
    if let Some(error) = error {
        assert!(
            matches!(error, ServiceError::StoreFailed(_)),
            "{at}: {error}"
        );
        let status = coordinator.health().status;
        assert!(matches!(status, Status::Ended(_)), "{at}: {status:?}");
        let again = session.begin(begin(Duration::from_mins(1))).await;
        assert!(again.is_err(), "{at}: it still answers");
    }
    // It does not hang.
    coordinator.stop().await;
    (committed, media)
}

#[tokio::test]
async fn e4_a_storage_that_panics_at_any_write_or_sync_ends_the_service_and_hangs_nobody() {
    let start = fresh().await;
    let mut endings = BTreeSet::new();
    for at in 0.. {
        let (committed, media) = panics_at(&start, at).await;
        endings.insert(committed.len());
        let left = Arc::new(media.after_power_loss(|| at % 2 == 0));
        let restarted = Coordinator::open(opened(&left, false).unwrap()).await;
        let restarted = restarted.unwrap();
        let session = restarted.session("shop", "anonymous");
        for xid in committed {
            let outcome = session.outcome(xid).await.unwrap();
            assert_eq!(outcome, DecisionAnswer::Committed, "operation {at}");
        }
        restarted.stop().await;
        if media.operations() <= at {
            break;
        }
    }
    // It ended before each of them, and at last not at all.
    assert!(endings.into_iter().eq(0..=TRANSACTIONS));
}
