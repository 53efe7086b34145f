//! Starts the shop (a coordinator and three services, each a process with a database of its own),
//! plays its scenes, and checks by SQL that everything adds up.
//!
//! `cargo run` in the root of the repository plays all scenes; `cargo run -- --help` tells more.
//!
//! * [`programs`]: what is started, built first;
//! * [`process`]: one child process, from its start to its end;
//! * [`shop`]: all of them, and the folder they work in;
//! * [`scenes`]: what happens to them, one scene after another;
//! * [`databases`], [`table`], [`totals`]: what the three files hold, shown and checked.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it prints is what it is for"
)]

mod customer;
mod databases;
mod folder;
mod process;
mod programs;
mod scenes;
mod shop;
mod table;
mod totals;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use folder::Folder;
use programs::Programs;
use shop::{Role, Shop};

type Failure = Box<dyn Error + Send + Sync>;

/// What a shell reports for a program that was interrupted.
const INTERRUPTED: u8 = 130;

#[derive(clap::Parser)]
#[command(about)]
struct Arguments {
    /// Play only this scene.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=9))]
    scene: Option<u8>,

    /// Keep the shop running until Ctrl-C, and print what to try; plays no scene unless one is
    /// named.
    #[arg(long)]
    serve: bool,

    /// Take the programs from this folder instead of building them.
    #[arg(long, value_name = "DIR")]
    bins: Option<PathBuf>,
}

enum Ended {
    Interrupted,
    Played(Result<bool, Failure>),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("\nshop: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    // Before anything is started: from here on an interruption is ours to handle.
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let folder = Folder::new()?;
    let mut shop = Shop::new(folder.path());
    let ended = tokio::select! {
        biased;
        _ = interrupt.recv() => Ended::Interrupted,
        _ = terminate.recv() => Ended::Interrupted,
        played = play(&mut shop, &arguments) => Ended::Played(played),
    };
    if matches!(ended, Ended::Interrupted) {
        println!("\nInterrupted: the shop closes.");
    }
    shop.close().await;
    folder.close()?;
    match ended {
        Ended::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
        Ended::Played(Ok(true)) => Ok(ExitCode::SUCCESS),
        Ended::Played(Ok(false)) => Err("something does not add up: see WRONG above".into()),
        Ended::Played(Err(failure)) => Err(failure),
    }
}

/// Plays what was asked for, and tells whether everything added up.
async fn play(shop: &mut Shop, arguments: &Arguments) -> Result<bool, Failure> {
    let programs = match &arguments.bins {
        Some(folder) => Programs::of_folder(folder)?,
        None => Programs::build().await?,
    };
    let start = Instant::now();
    shop.open(programs).await?;
    let scenes: Vec<u8> = match arguments.scene {
        Some(scene) => vec![scene],
        None if arguments.serve => Vec::new(),
        None => (1..=scenes::COUNT).collect(),
    };
    let mut well = true;
    for number in &scenes {
        well &= scenes::play(*number, shop).await?;
    }
    if !scenes.is_empty() {
        well &= totals::check(shop.databases(), &scenes::articles(), scenes::money()).await?;
        let seconds = start.elapsed().as_secs_f64();
        println!("\nPlayed in {seconds:.1} s.");
    }
    if arguments.serve {
        invite(shop);
        std::future::pending::<()>().await;
    }
    Ok(well)
}

fn invite(shop: &Shop) {
    let (order, coordinator) = (shop.address(Role::Order), shop.address(Role::Coordinator));
    let command = shop.program(Role::Coordinator).display();
    println!(
        "
The shop is open; Ctrl-C closes it. ann has 100 and a lamp costs 10; bob has 5.

  curl -i http://{order}/orders -H 'content-type: application/json' \\
       -d '{{\"user\":\"ann\",\"sku\":\"lamp\",\"count\":2}}'
  curl -i http://{order}/orders -H 'content-type: application/json' \\
       -d '{{\"user\":\"bob\",\"sku\":\"lamp\",\"count\":1}}'
  curl -i http://{order}/orders/1
  {command} list --coordinator unanimous://{coordinator}"
    );
}
