//! A shop without a payment database: a purchase that commits and one that does not, lost answers,
//! and two crashes. At the end everything is added up; what does not add up ends the program with
//! an error.
//!
//! `cargo run -p payment`
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};

use payment::api::{Api, Card, Fault, Operation};
use payment::shop::Shop;
use tempfile::TempDir;

type Failure = Box<dyn Error + Send + Sync>;

const PRICE: i64 = 30;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => play().await,
        // One customer in a process of its own, which the player kills.
        [api, folder] => {
            let shop = Shop::open(api.parse()?, Path::new(folder)).await?;
            shop.buy("ann", PRICE).await?;
            // Confirming comes a moment later.
            shop.is_quiet().await;
            shop.close().await;
            Ok(())
        }
        _ => Err("usage: payment".into()),
    }
}

async fn play() -> Result<(), Failure> {
    let folder = TempDir::new()?;
    let api = Api::serve(&[("ann", 300), ("ben", 20)]).await?;

    // Undecided when it dies: the money that it held is given back.
    crash(&api, folder.path(), Operation::Authorise, Fault::HangsAfter).await?;
    told(&api, "killed in phase one");
    let shop = Shop::open(api.address(), folder.path()).await?;
    quiet(&shop).await?;
    expect(&api, "the next process released it", 0)?;
    shop.close().await;

    // Committed when it dies, with the capture under way: it is captured, once.
    for (fault, sold) in [(Fault::HangsBefore, 1), (Fault::HangsAfter, 2)] {
        crash(&api, folder.path(), Operation::Capture, fault).await?;
        told(&api, &format!("killed in phase two ({fault:?})"));
        let shop = Shop::open(api.address(), folder.path()).await?;
        quiet(&shop).await?;
        expect(&api, "the next process captured it", sold)?;
        shop.close().await;
    }

    let shop = Shop::open(api.address(), folder.path()).await?;
    shop.buy("ann", PRICE).await?;
    quiet(&shop).await?;
    expect(&api, "a purchase", 3)?;

    let refused = shop.buy("ben", PRICE).await;
    if refused.is_ok() {
        return Err("ben has not enough money".into());
    }
    quiet(&shop).await?;
    expect(&api, "ben has not enough money", 3)?;

    api.next(Operation::Authorise, Fault::AnswerLost);
    let lost = shop.buy("ann", PRICE).await;
    if lost.is_ok() {
        return Err("nobody told the shop that the money is held".into());
    }
    quiet(&shop).await?;
    expect(&api, "an answer lost in phase one: rolled back", 3)?;

    for fault in [Fault::AnswerLost, Fault::Fails, Fault::AnswerLost] {
        api.next(Operation::Capture, fault);
    }
    shop.buy("ann", PRICE).await?;
    quiet(&shop).await?;
    expect(&api, "captured once, in the fourth delivery", 4)?;

    shop.buy("ann", PRICE).await?;
    let sold_out = shop.buy("ann", PRICE).await;
    if sold_out.is_ok() {
        return Err("the shelf is empty".into());
    }
    quiet(&shop).await?;
    expect(&api, "sold out: rolled back", 5)?;

    check(&api, &shop).await?;
    shop.close().await;
    println!("all adds up");
    Ok(())
}

/// Starts a customer's process, waits until its request hangs at the API, and kills it there.
async fn crash(
    api: &Api,
    folder: &Path,
    operation: Operation,
    fault: Fault,
) -> Result<(), Failure> {
    api.next(operation, fault);
    let mut customer = customer(api.address(), folder)?;
    let hangs = api.hangs();
    tokio::pin!(hangs);
    let started = tokio::time::timeout(std::time::Duration::from_secs(30), &mut hangs).await;
    customer.kill()?;
    customer.wait()?;
    started.map_err(|_| format!("nobody asked for {operation:?}").into())
}

fn customer(api: SocketAddr, folder: &Path) -> Result<Child, Failure> {
    let mut command = Command::new(env::current_exe()?);
    Ok(command.arg(api.to_string()).arg(folder).spawn()?)
}

async fn quiet(shop: &Shop) -> Result<(), Failure> {
    if shop.is_quiet().await {
        return Ok(());
    }
    Err("what was decided is not carried out".into())
}

fn told(api: &Api, what: &str) -> Card {
    let card = api.books().card("ann");
    println!(
        "{what:<44} free {:>3}  held {:>2}  captured {:>3}",
        card.free, card.held, card.captured
    );
    card
}

/// Nothing is held, and this many pieces were paid for.
fn expect(api: &Api, what: &str, sold: i64) -> Result<(), Failure> {
    let captured = sold * PRICE;
    let expected = Card {
        free: 300 - captured,
        held: 0,
        captured,
    };
    let card = told(api, what);
    if card == expected {
        return Ok(());
    }
    Err(format!("{what}: {card:?} instead of {expected:?}").into())
}

/// What was captured is what was sold.
async fn check(api: &Api, shop: &Shop) -> Result<(), Failure> {
    let (pieces, earned) = shop.shelf().await?;
    let captured = api.books().card("ann").captured;
    let untouched = api.books().card("ben").free == 20;
    if (pieces, earned) != (0, captured) || !untouched || !api.faults_are_over() {
        return Err(format!("{pieces} left, {earned} earned, {captured} captured").into());
    }
    Ok(())
}
