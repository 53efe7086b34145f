//! A connection that a test can cut, or hold back on its way to the client.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;

/// Forwards connections to a server. Dropping it closes them all.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    task: AbortHandle,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Connections made so far.
    made: usize,
    /// Connections up to this one are cut.
    cut: usize,
    /// On connections up to this one nothing travels to the client any more.
    held: usize,
}

impl Proxy {
    pub(super) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(watch::Sender::new(State::default()));
        let accepting = accept(listener, target, Arc::clone(&state));
        let task = tokio::spawn(accepting).abort_handle();
        Self {
            address,
            task,
            state,
        }
    }

    /// Closes every connection there is.
    pub(super) fn cut(&self) {
        self.state.send_modify(|state| state.cut = state.made);
    }

    /// From here on keeps back what the server says on the connections that there are.
    pub(super) fn hold(&self) {
        self.state.send_modify(|state| state.held = state.made);
    }

    /// Lets everything that was kept back travel on.
    pub(super) fn release(&self) {
        self.state.send_modify(|state| state.held = 0);
    }

    /// How many connections were made.
    pub(super) fn connections(&self) -> usize {
        self.state.borrow().made
    }

    /// Completes when this many connections have been made.
    pub(super) async fn made(&self, connections: usize) {
        let mut state = self.state.subscribe();
        state
            .wait_for(|state| state.made >= connections)
            .await
            .unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.state.send_modify(|state| state.cut = usize::MAX);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, state: Arc<watch::Sender<State>>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(target).await.unwrap();
        state.send_modify(|state| state.made += 1);
        let number = state.borrow().made;
        let state = state.subscribe();
        tokio::spawn(forward(client, server, number, state));
    }
}

async fn forward(
    client: TcpStream,
    server: TcpStream,
    number: usize,
    mut state: watch::Receiver<State>,
) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let held = state.clone();
    tokio::select! {
        () = copy(from_client, to_server, None) => {}
        () = copy(from_server, to_client, Some((number, held))) => {}
        _ = state.wait_for(|state| state.cut >= number) => {}
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut held: Option<(usize, watch::Receiver<State>)>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if let Some((number, held)) = &mut held
            && held.wait_for(|state| state.held < *number).await.is_err()
        {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
