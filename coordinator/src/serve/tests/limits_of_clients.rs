//! More clients, or more of one client, than there is room for.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::{FutureExt as _, StreamExt as _};

use unanimous_protocol::{Incarnation, LogId};

use super::*;
use crate::clock::ManualClock;
use crate::store::MemoryDisk;

#[tokio::test]
async fn connections_that_cannot_be_accepted_end_nothing() {
    /// Too many open files.
    const EMFILE: i32 = 24;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = AtomicU32::new(0);
    let accept = async || match asked.fetch_add(1, Ordering::SeqCst) {
        0..3 => Err(io::Error::from_raw_os_error(EMFILE)),
        _ => listener.accept().await,
    };
    let clock = ManualClock::new();
    let mut accepted = pin!(connections(accept, Arc::new(clock.clone())));
    let connected = TcpStream::connect(address).await;
    assert!(connected.is_ok());
    for failed in 1..=3 {
        assert!(accepted.next().now_or_never().is_none());
        assert_eq!(asked.load(Ordering::SeqCst), failed);
        clock.advance(ACCEPT_AGAIN / 2);
        assert!(accepted.next().now_or_never().is_none());
        assert_eq!(asked.load(Ordering::SeqCst), failed, "it waits");
        clock.advance(ACCEPT_AGAIN / 2);
    }
    let accepted = accepted.next().await;
    assert!(matches!(accepted, Some(Ok(_))), "{accepted:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

/// Attachments of nothing, so many from this id on.
fn attachments(first: u64, count: usize) -> FromClient {
    attachments_that_know(None, first, count)
}

/// The same, of clients that have seen this start of the log on the [`MemoryDisk`].
fn attachments_that_know(newest: Option<Incarnation>, first: u64, count: usize) -> FromClient {
    let attach = Attach {
        application: "test".to_owned(),
        principal: "anonymous".to_owned(),
        known_log: newest.map(|_| LogId(*b"a disk in memory")),
        newest,
        resources: Vec::new(),
    };
    FromClient::Attach(
        (first..)
            .take(count)
            .map(|id| (id, attach.clone()))
            .collect(),
    )
}

#[tokio::test]
async fn a_stream_has_room_for_so_many_attachments_and_no_more() {
    let served = Served::start().await;
    let mut client = Client::welcomed(&served).await;
    client.send(1, &attachments(1, limits::RESOURCES_MAX));
    let attached = client.next().await;
    assert!(matches!(attached, Some((1, FromServer::Attached(_)))));
    client.send(2, &attachments(5_000, 1));
    let (id, kind, why) = failure(client.next().await);
    assert_eq!((id, kind), (2, FailureKind::Protocol));
    assert_eq!(why, "a stream has at most 1000 attachments");
    // Those that there are may be presented again, and one that is taken back makes room.
    client.send(3, &attachments(1, 2));
    let again = client.next().await;
    assert!(matches!(again, Some((3, FromServer::Attached(_)))));
    client.send(7, &FromClient::Detach);
    client.send(4, &attachments(5_000, 1));
    let instead = client.next().await;
    assert!(matches!(instead, Some((4, FromServer::Attached(_)))));
    assert_eq!(served.coordinator.health().attached, limits::RESOURCES_MAX);
}

#[tokio::test]
async fn attachments_whose_answer_waits_for_the_disk_take_room_as_well() {
    let disk = MemoryDisk::new();
    let served = Served::with(Options::over(disk.open()).restored(true)).await;
    let mut client = Client::welcomed(&served).await;
    // A start that the restored copy lacks: it is recorded before anybody hears an answer.
    disk.hold();
    let lost = Incarnation {
        number: 1_000,
        random: 1,
    };
    client.send(
        1,
        &attachments_that_know(Some(lost), 1, limits::RESOURCES_MAX),
    );
    client.send(2, &attachments(5_000, 1));
    let refused = tokio::time::timeout(PATIENCE, client.next()).await;
    let (id, kind, why) = failure(refused.expect("it is answered at once"));
    assert_eq!((id, kind), (2, FailureKind::Protocol));
    assert_eq!(why, "a stream has at most 1000 attachments");
    assert_eq!(disk.unsynced(), 1, "the others wait");
    disk.release();
    let attached = client.next().await;
    assert!(matches!(attached, Some((1, FromServer::Attached(_)))));
    // Nothing waits any more: those that there are may be presented again.
    client.send(3, &attachments(1, limits::RESOURCES_MAX));
    let again = client.next().await;
    assert!(matches!(again, Some((3, FromServer::Attached(_)))));
}
