//! The storage service: what is free, held and sold of each article, changed within the caller's
//! transaction.

mod rpc;
mod stock;

use std::error::Error;
use std::sync::Arc;

use clap::Parser as _;
use shop_proto::v1::storage_server::StorageServer;
use shop_service::{Options, Stage};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use unanimous::Runtime;
use unanimous::carry::ServerLayer;

use stock::Stock;

#[derive(clap::Parser)]
#[command(about)]
struct Arguments {
    #[command(flatten)]
    service: Options,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Arguments::parse().service;
    let stage = Stage::enter(options.pauses);

    let stock = Stock::open(&options.db).await?;
    let runtime = Runtime::builder()
        .coordinator(options.coordinator)
        .application("storage")
        .participant(Arc::new(stock.clone()))
        .build()
        .await?;

    let incoming = TcpIncoming::bind(options.listen)?.with_nodelay(Some(true));
    stage.ready(incoming.local_addr()?);
    Server::builder()
        .layer(ServerLayer::new(&runtime))
        .add_service(StorageServer::new(stock))
        .serve_with_incoming_shutdown(incoming, stage.ended())
        .await?;
    runtime.shutdown().await;
    Ok(())
}
