//! `cargo run -p by_hand`: the bank without macros, on a coordinator in this process.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use by_hand::{Accounts, Bank, Journal, Letters, Notices, Office, Safes, fees, ledger};
use sqlx::SqlitePool;
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
    let rome = sqlite::durable(folder.path().join("rome.db")).await?;
    ledger::create(&rome).await?;
    let office = office(&bank, rome);
    let log = folder.path().join("unanimous.redb");
    let runtime = Runtime::builder()
        .coordinator(format!("embedded:{}", log.display()))
        .participant(Arc::new(bank.accounts.clone()))
        .participant(bank.notices.clone())
        .participant(Arc::new(office.safes[0].clone()))
        .participant(Arc::new(office.safes[1].clone()))
        .participant(Arc::new(office.letters.clone()))
        .state(bank.accounts.db.clone())
        .state(office.letters.journal.clone())
        .linked_actions()
        .build()
        .await?;

    // `scope` instead of `install`: this runtime is the one of these calls only.
    runtime.scope(Box::pin(play(&bank))).await;
    runtime.quiet(Duration::from_secs(5)).await;
    for (user, free, held) in ledger::balances(&bank.accounts.db).await? {
        println!("  {user}  free {free:>3}  held {held:>3}");
    }
    println!("  {:?}", bank.notices.outbox.all());

    runtime.scope(Box::pin(visit(&office))).await;
    runtime.quiet(Duration::from_secs(5)).await;
    for (door, price, opened) in ledger::safes(&bank.accounts.db).await? {
        println!("  safe {door}  price {price}  opened {opened}");
    }
    let mut done = office.letters.journal.all();
    // Branches end side by side, in no order.
    done.sort();
    println!("  {}", done.join("\n  "));
    runtime.shutdown().await;
    Ok(())
}

/// Rome has a ledger of its own.
fn office(bank: &Bank, rome: SqlitePool) -> Office {
    let journal = Journal::default();
    let safes = |city, db| Safes {
        city,
        db,
        journal: journal.clone(),
    };
    Office {
        accounts: bank.accounts.clone(),
        notices: bank.notices.clone(),
        safes: [
            safes("Paris", bank.accounts.db.clone()),
            safes("Rome", rome),
        ],
        letters: Letters {
            journal: journal.clone(),
        },
    }
}

async fn visit(office: &Office) {
    println!(
        "waited         {}",
        told(office.pay_and_wait("ada", 5).await)
    );
    println!("a remark       {}", told(office.remark("hello").await));
    println!("price          {}", told(office.reprice(1, 12).await));
    println!("an odd price   {}", told(office.reprice(1, 13).await));
    println!("open           {}", told(office.open(1, "ada").await));
    println!("no such door   {}", told(office.open(9, "ada").await));
    println!("write          {}", told(office.write("ann").await));
    println!(
        "register       {}",
        told(office.register("ada", "a deed", 2).await)
    );
    println!(
        "empty paper    {}",
        told(office.register("ada", "", 2).await)
    );
    println!("one fee        {}", told(fees::charge("ada", 1).await));
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
