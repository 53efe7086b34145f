//! From an address to a coordinator.

use std::sync::Arc;

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

/// Opens the coordinator at this address.
pub(crate) async fn open(
    url: Url,
    application: &Arc<str>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Coordinator>, OpenError> {
    match url {
        #[cfg(feature = "embedded")]
        Url::Memory => super::embedded::memory(application, clock).await,
        #[cfg(feature = "embedded")]
        Url::Embedded(url) => super::embedded::durable(url, application, clock).await,
        #[cfg(not(feature = "embedded"))]
        Url::Memory | Url::Embedded(_) => Err(OpenError::Feature {
            url: "embedded:".to_owned(),
            feature: "embedded",
        }),
        #[cfg(feature = "grpc")]
        Url::Unanimous { host, port } => super::grpc::open(&host, port, application, clock),
        #[cfg(not(feature = "grpc"))]
        Url::Unanimous { host, port } => {
            let _ = (application, clock);
            Err(OpenError::Feature {
                url: format!("unanimous://{host}:{port}"),
                feature: "grpc",
            })
        }
    }
}
