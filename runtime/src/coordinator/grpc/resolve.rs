use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use futures_util::future::BoxFuture;

/// Tells where a coordinator is. Asked anew at each connection, so that a client follows a
/// coordinator that has moved.
pub trait Resolve: Send + Sync + fmt::Debug + 'static {
    /// The addresses to try, in order. Other than loopback addresses are refused.
    fn resolve(&self) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// Asks the operating system.
#[derive(Clone, Debug)]
pub struct Dns {
    host: String,
    port: u16,
}

impl Dns {
    /// A host, by name or number, and its port.
    ///
    /// # Errors
    ///
    /// When it is an address of another machine.
    pub(super) fn new(host: &str, port: u16) -> Result<Self, String> {
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        match host.parse::<IpAddr>() {
            Ok(address) if !address.is_loopback() => Err(not_loopback(&host)),
            _ => Ok(Self { host, port }),
        }
    }
}

impl Resolve for Dns {
    fn resolve(&self) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let Self { host, port } = self.clone();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// What is said of an address that other machines could answer at.
pub(super) fn not_loopback(address: &str) -> String {
    format!(
        "`{address}` is not on this machine: connections to other machines need TLS and a \
         credential, and neither exists yet; run `unanimous serve` here and name \
         `unanimous://127.0.0.1:PORT`"
    )
}
