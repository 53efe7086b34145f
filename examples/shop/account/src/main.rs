//! The account service: customers' balances and the shop's revenue, changed within the caller's
//! transaction.

mod accounts;
mod rpc;

use std::error::Error;
use std::sync::Arc;

use clap::Parser as _;
use shop_proto::v1::account_server::AccountServer;
use shop_service::{Options, Stage};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use unanimous::Runtime;
use unanimous::carry::ServerLayer;

use accounts::Accounts;

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

    let accounts = Accounts::open(&options.db).await?;
    let runtime = Runtime::builder()
        .coordinator(options.coordinator)
        .application("account")
        .participant(Arc::new(accounts.clone()))
        .build()
        .await?;

    let incoming = TcpIncoming::bind(options.listen)?.with_nodelay(Some(true));
    stage.ready(incoming.local_addr()?);
    Server::builder()
        .layer(ServerLayer::new(&runtime))
        .add_service(AccountServer::new(accounts))
        .serve_with_incoming_shutdown(incoming, stage.ended())
        .await?;
    runtime.shutdown().await;
    Ok(())
}
