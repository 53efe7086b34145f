//! `cargo run -p by_hand`: the bank without macros, on a coordinator in this process.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use by_hand::{Accounts, Bank, Notices, ledger};
use tempfile::TempDir;
use unanimous::{Runtime, sqlite};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = TempDir::new()?;
    let db = sqlite::durable(folder.path().join("ledger.db")).await?;
    ledger::create(&db).await?;
    let bank = Bank {
        accounts: Accounts { db },
        notices: Arc::new(Notices::default()),
    };
    let log = folder.path().join("unanimous.redb");
    let runtime = Runtime::builder()
        .coordinator(format!("embedded:{}", log.display()))
        .participant(Arc::new(bank.accounts.clone()))
        .participant(bank.notices.clone())
        .build()
        .await?;

    // `scope` instead of `install`: this runtime is the one of these calls only.
    runtime.scope(Box::pin(play(&bank))).await;
    runtime.quiet(Duration::from_secs(5)).await;
    for (user, free, held) in ledger::balances(&bank.accounts.db).await? {
        println!("  {user}  free {free:>3}  held {held:>3}");
    }
    println!("  {:?}", bank.notices.outbox.all());
    runtime.shutdown().await;
    Ok(())
}

async fn play(bank: &Bank) {
    println!(
        "pay            {}",
        told(bank.pay("ada", 30, "30 paid").await)
    );
    println!(
        "too much       {}",
        told(bank.pay("ben", 30, "30 paid").await)
    );
    println!("nothing to say {}", told(bank.pay("ada", 30, "").await));
    println!("together       {}", told(bank.pay_together(10).await));
    println!("share alone    {}", told(bank.share("ada", 1).await));
    println!("or owe         {}", told(bank.pay_or_owe("ben", 30).await));
    println!(
        "carelessly     {}",
        told(bank.pay_carelessly("ben", 30).await)
    );
    println!("logged         {}", told(bank.pay_logged("ben", 30).await));
    println!(
        "paid before    {}",
        told(bank.pay_again("paid twice").await)
    );
    println!("tell           {}", told(bank.tell("goodbye").await));
}

fn told<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}
