use tokio::sync::watch;
use tonic::{Code, Request, Response, Status, Streaming};
use unanimous_protocol::message::AdminRequest;
use unanimous_protocol::wire::{FailureKind, v1};

use super::generated::coordinator_server::Coordinator as Serves;
use super::stream::ClientStream;
use super::wire::Knife;
use crate::Coordinator;
use crate::drive::ServiceError;

/// What is served: a stream for each client process, and an operator's requests.
#[derive(Debug)]
pub(super) struct Service {
    coordinator: Coordinator,
    closing: watch::Receiver<bool>,
}

impl Service {
    pub(super) fn new(coordinator: Coordinator, closing: watch::Receiver<bool>) -> Self {
        Self {
            coordinator,
            closing,
        }
    }
}

#[tonic::async_trait]
impl Serves for Service {
    type ConnectStream = ClientStream<Streaming<v1::ClientFrame>>;

    async fn connect(
        &self,
        request: Request<Streaming<v1::ClientFrame>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let (coordinator, closing) = (self.coordinator.clone(), self.closing.clone());
        let knife = request.extensions().get::<Knife>().cloned();
        Ok(Response::new(ClientStream::new(
            coordinator,
            closing,
            knife.unwrap_or_default(),
            request.into_inner(),
        )))
    }

    async fn admin(
        &self,
        request: Request<v1::AdminRequest>,
    ) -> Result<Response<v1::AdminAnswer>, Status> {
        let request = AdminRequest::try_from(request.into_inner())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        if changes(&request) {
            tracing::info!(?request, "an operator asks");
        }
        match self.coordinator.admin(request).await {
            Ok(answer) => Ok(Response::new((&answer).into())),
            Err(error) => Err(Status::new(code(kind(&error)), error.to_string())),
        }
    }
}

fn changes(request: &AdminRequest) -> bool {
    use AdminRequest::{List, Settled, Show};
    !matches!(request, List { .. } | Settled(_) | Show(_))
}

/// Who is at fault when the coordinator does not answer.
pub(super) fn kind(error: &ServiceError) -> FailureKind {
    match error {
        ServiceError::Stopped => FailureKind::Unavailable,
        ServiceError::Replaced { .. } => FailureKind::Refused,
        ServiceError::Bug(_) | ServiceError::StoreFailed(_) => FailureKind::Failed,
    }
}

fn code(kind: FailureKind) -> Code {
    match kind {
        FailureKind::Protocol => Code::InvalidArgument,
        FailureKind::Failed => Code::Internal,
        FailureKind::Refused => Code::FailedPrecondition,
        FailureKind::Unavailable => Code::Unavailable,
    }
}
