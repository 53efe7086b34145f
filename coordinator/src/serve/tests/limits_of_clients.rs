//! More clients, or more of one client, than there is room for.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::StreamExt as _;

use super::*;
use crate::clock::SystemClock;

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
    let clock = Arc::new(SystemClock::new());
    let mut accepted = pin!(connections(accept, clock));
    let client = TcpStream::connect(address);
    let (connected, accepted) = tokio::join!(client, accepted.next());
    assert!(matches!(accepted, Some(Ok(_))), "{accepted:?}");
    assert!(connected.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

/// Attachments of nothing, so many from this id on.
fn attachments(first: u64, count: usize) -> FromClient {
    let attach = Attach {
        application: "test".to_owned(),
        principal: "anonymous".to_owned(),
        known_log: None,
        newest: None,
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
