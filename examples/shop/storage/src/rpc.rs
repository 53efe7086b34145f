//! gRPC in front of the stock: nothing but the translation.

use shop_proto::v1::storage_server::Storage;
use shop_proto::v1::{DeductReply, DeductRequest};
use tonic::{Request, Response, Status};

use crate::stock::{Stock, StockError};

#[tonic::async_trait]
impl Storage for Stock {
    async fn deduct(
        &self,
        request: Request<DeductRequest>,
    ) -> Result<Response<DeductReply>, Status> {
        let DeductRequest { sku, count } = request.into_inner();
        Ok(Response::new(DeductReply {
            free: Stock::deduct(self, &sku, count).await?,
        }))
    }
}

impl From<StockError> for Status {
    fn from(error: StockError) -> Self {
        match error {
            StockError::OutOfStock { .. } => Self::failed_precondition(error.to_string()),
            StockError::Database(error) => Self::internal(error.to_string()),
            StockError::Transaction(error) => error.into(),
        }
    }
}
