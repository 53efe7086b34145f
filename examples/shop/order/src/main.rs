//! The order service: a purchase is one annotated function over three services.

mod http;
mod network;
mod orders;
mod shop;

use std::error::Error;
use std::sync::Arc;

use clap::Parser as _;
use shop_proto::v1::account_client::AccountClient;
use shop_proto::v1::storage_client::StorageClient;
use shop_service::{Options, Stage};
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint};
use tower_layer::Layer as _;
use unanimous::Runtime;
use unanimous::carry::ClientLayer;

use network::Network;
use orders::Orders;
use shop::Shop;

#[derive(clap::Parser)]
#[command(about)]
struct Arguments {
    #[command(flatten)]
    service: Options,

    /// The storage service, such as `http://127.0.0.1:7071`.
    #[arg(long, value_name = "URL")]
    storage: String,

    /// The account service, such as `http://127.0.0.1:7072`.
    #[arg(long, value_name = "URL")]
    account: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments {
        service: options,
        storage,
        account,
    } = Arguments::parse();
    let stage = Stage::enter(options.pauses);

    let orders = Orders::open(&options.db).await?;
    let runtime = Runtime::builder()
        .coordinator(options.coordinator)
        .application("order")
        .participant(Arc::new(orders.clone()))
        .build()
        .await?;
    runtime.install()?;

    let carry = ClientLayer::new().participants_only();
    let network = Network::new(channel(account)?, stage.pauses());
    let shop = Shop {
        orders,
        storage: StorageClient::new(carry.layer(channel(storage)?)),
        account: AccountClient::new(carry.layer(network)),
        pauses: stage.pauses(),
    };

    let listener = TcpListener::bind(options.listen).await?;
    stage.ready(listener.local_addr()?);
    axum::serve(listener, http::routes(shop))
        .with_graceful_shutdown(stage.ended())
        .await?;
    runtime.shutdown().await;
    Ok(())
}

/// Connects when it is first used, and again whenever the service comes back.
fn channel(url: String) -> Result<Channel, tonic::transport::Error> {
    Ok(Endpoint::from_shared(url)?.connect_lazy())
}
