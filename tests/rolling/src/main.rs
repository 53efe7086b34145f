//! One instance of the stock service: `rolling VERSION COORDINATOR DATABASE`.
//!
//! It buys without pause, says `bought` or `failed` after each, and does what it reads, a line each:
//! `rest`: buys no more; `hold`: confirms no more, and says `held` when it was asked to. It stops
//! when its input ends. What it logs it says too.
#![allow(
    clippy::print_stdout,
    reason = "what an instance says is what its test reads"
)]

mod books;
mod first;
mod second;

use std::error::Error;
use std::io::{self, BufRead as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use unanimous::{Participant, Runtime, global_transactional, sqlite};

use books::{Books, Failure};

/// What both versions do.
trait Stock: Participant {
    /// Takes pieces off the shelf, and charges for them.
    fn take_and_charge(&self, pieces: i64) -> impl Future<Output = Result<(), Failure>> + Send;
}

#[global_transactional(timeout = "5s")]
async fn purchase<S: Stock>(stock: &S, pieces: i64, fails: bool) -> Result<(), Failure> {
    stock.take_and_charge(pieces).await?;
    if fails {
        return Err(Failure::ChangedMind);
    }
    Ok(())
}

/// What an instance is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Order {
    Buy,
    Rest,
    Stop,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_ansi(false)
        .with_writer(io::stdout)
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [version, coordinator, database] = arguments.as_slice() else {
        return Err("usage: rolling VERSION COORDINATOR DATABASE".into());
    };
    let (books, orders) = listen(database).await?;
    match version.as_str() {
        "1" => serve(first::Stock::new(books), coordinator, orders).await,
        "2" => serve(second::Stock::new(books), coordinator, orders).await,
        other => Err(format!("there is no version {other}").into()),
    }
}

/// Opens the books, and reads orders from a thread of its own.
async fn listen(
    database: &str,
) -> Result<(Books, watch::Receiver<Order>), Box<dyn Error + Send + Sync>> {
    let db = sqlite::durable(Path::new(database)).await?;
    let (hold, held) = watch::channel(false);
    let (order, orders) = watch::channel(Order::Buy);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match line.as_str() {
                "rest" => {
                    order.send_replace(Order::Rest);
                }
                _ => {
                    hold.send_replace(true);
                }
            }
        }
        order.send_replace(Order::Stop);
    });
    Ok((Books::new(db, held), orders))
}

async fn serve<S: Stock>(
    stock: S,
    coordinator: &str,
    orders: watch::Receiver<Order>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let stock = Arc::new(stock);
    let runtime = Runtime::builder()
        .coordinator(coordinator)
        .application("stock")
        .participant(stock.clone())
        .build()
        .await?;
    runtime.ready().await;
    println!("ready");
    // Two customers at a time.
    let (said, mut says) = mpsc::channel(1);
    for customer in 0..2 {
        let (runtime, stock, said) = (runtime.clone(), stock.clone(), said.clone());
        let orders = orders.clone();
        tokio::spawn(async move {
            buy(&runtime, &*stock, customer, orders, said).await;
        });
    }
    drop(said);
    while let Some(what) = says.recv().await {
        println!("{what}");
    }
    println!("resting");
    let mut orders = orders;
    orders.wait_for(|order| *order == Order::Stop).await?;
    runtime.shutdown().await;
    Ok(())
}

/// Buys until it is told otherwise. Each fifth changes their mind.
async fn buy<S: Stock>(
    runtime: &Runtime,
    stock: &S,
    customer: i64,
    orders: watch::Receiver<Order>,
    said: mpsc::Sender<&'static str>,
) {
    let mut number = customer;
    // So that the instances get their turns at the one database.
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    while *orders.borrow() == Order::Buy {
        number += 1;
        pace.tick().await;
        let bought = runtime.scope(purchase(stock, 1 + number % 3, number % 5 == 0));
        let bought = bought.await;
        let what = if bought.is_ok() { "bought" } else { "failed" };
        if said.send(what).await.is_err() {
            return;
        }
    }
}
