use shop_proto::v1::account_client::AccountClient;
use shop_proto::v1::storage_client::StorageClient;
use shop_proto::v1::{DebitRequest, DeductRequest};
use shop_service::{PRICE, Pauses};
use tonic::transport::Channel;
use unanimous::carry::Carried;
use unanimous::global_transactional;

use crate::network::Network;
use crate::orders::{NewOrder, Orders};

/// The shop: its own orders, and the services that it calls.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) orders: Orders,
    pub(crate) storage: StorageClient<Carried<Channel>>,
    pub(crate) account: AccountClient<Carried<Network>>,
    pub(crate) pauses: Pauses,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ShopError {
    /// Another service refused, or did not answer.
    #[error("{}", .0.message())]
    Call(#[from] tonic::Status),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

impl Shop {
    /// `Ok`: the order, the pieces and the money are decided together. Any error: none of them is.
    #[global_transactional(timeout = "30s")]
    pub(crate) async fn purchase(&self, id: i64, order: &NewOrder) -> Result<(), ShopError> {
        let (sku, user, count) = (order.sku.clone(), order.user.clone(), order.count.into());
        self.orders.create(id, order).await?;
        self.storage
            .clone()
            .deduct(DeductRequest { sku, count })
            .await?;
        self.account
            .clone()
            .debit(DebitRequest {
                user,
                amount: count * PRICE,
            })
            .await?;
        self.pauses.pass("after-calls").await;
        Ok(())
    }
}
