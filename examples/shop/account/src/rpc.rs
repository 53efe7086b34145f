//! gRPC in front of the accounts: nothing but the translation.

use shop_proto::v1::account_server::Account;
use shop_proto::v1::{DebitReply, DebitRequest};
use tonic::{Request, Response, Status};

use crate::accounts::{AccountError, Accounts};

#[tonic::async_trait]
impl Account for Accounts {
    async fn debit(&self, request: Request<DebitRequest>) -> Result<Response<DebitReply>, Status> {
        let DebitRequest { user, amount } = request.into_inner();
        Ok(Response::new(DebitReply {
            balance: Accounts::debit(self, &user, amount).await?,
        }))
    }
}

impl From<AccountError> for Status {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotEnoughMoney { .. } => Self::failed_precondition(error.to_string()),
            AccountError::Database(error) => Self::internal(error.to_string()),
            AccountError::Transaction(error) => error.into(),
        }
    }
}
