//! From an address to a coordinator.

use std::sync::Arc;
use std::time::Duration;

use super::Coordinator;
use crate::clock::Clock;
use crate::runtime::Url;

/// Why a coordinator could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// This build of the crate cannot reach such a coordinator.
    #[error("`{url}` needs the feature `{feature}` of the crate `unanimous`")]
    Feature {
        /// What was asked for.
        url: String,
        /// The feature to enable.
        feature: &'static str,
    },
    /// The embedded coordinator's log could not be opened.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Embedded(#[from] unanimous_coordinator::drive::OpenError),
    /// The embedded coordinator could not be served to other processes.
    #[cfg(feature = "listen")]
    #[error(transparent)]
    Listen(#[from] unanimous_coordinator::serve::ServeError),
    /// The address is refused.
    #[error("{0}")]
    Address(String),
}

/// The process that a coordinator is opened for.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Its name.
    pub(crate) application: Arc<str>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long an embedded coordinator that stops waits for what is open, and then for the phase
    /// two that is under way.
    #[cfg_attr(
        not(feature = "embedded"),
        expect(dead_code, reason = "read by the embedded coordinator")
    )]
    pub(crate) drain: Duration,
}

/// Opens the coordinator at this address.
pub(crate) async fn open(url: Url, host: &Host) -> Result<Arc<dyn Coordinator>, OpenError> {
    match url {
        #[cfg(feature = "embedded")]
        Url::Memory => super::embedded::memory(host).await,
        #[cfg(feature = "embedded")]
        Url::Embedded(url) => super::embedded::durable(url, host).await,
        #[cfg(not(feature = "embedded"))]
        Url::Memory | Url::Embedded(_) => Err(OpenError::Feature {
            url: "embedded:".to_owned(),
            feature: "embedded",
        }),
        #[cfg(feature = "grpc")]
        Url::Unanimous { host: at, port } => {
            super::grpc::open(&at, port, &host.application, &host.clock)
        }
        #[cfg(not(feature = "grpc"))]
        Url::Unanimous { host: at, port } => {
            let _ = (&host.application, &host.clock);
            Err(OpenError::Feature {
                url: format!("unanimous://{at}:{port}"),
                feature: "grpc",
            })
        }
    }
}
