//! Scene 9: many buyers, few items, and an account that dies among them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use shop_service::PRICE;

use super::scene::{heading, say};
use crate::Failure;
use crate::customer::{Answer, Wish};
use crate::databases::{Article, Databases};
use crate::shop::{Role, Shop};
use crate::table::Table;

const BUYERS: usize = 500;
const AT_A_TIME: usize = 64;
/// The committed order at which the account is killed.
const KILLED_AT: usize = 30;
/// Everything ends in this time.
const QUIET: Duration = Duration::from_secs(20);

pub(crate) const TICKET: Article = Article {
    sku: "ticket",
    stocked: 100,
};

/// Each has the money for one.
pub(crate) fn buyers() -> impl Iterator<Item = (String, i64)> {
    (1..=BUYERS).map(|number| (format!("buyer-{number:03}"), PRICE))
}

pub(super) async fn play(number: u8, shop: &mut Shop) -> Result<bool, Failure> {
    heading(
        number,
        "500 buyers, 100 items, 64 at a time",
        "The account is killed at the 30th committed order, and started again.",
    );
    let mut table = Table::new(TICKET.sku, "buyer-*");
    let before = shop.databases().snapshot(TICKET.sku, "buyer-*").await?;
    table.add("before", before);
    let start = Instant::now();
    let (committed, refused) = orders(shop).await?;
    let took = start.elapsed().as_secs_f64();
    say(
        "answers",
        format!("{committed} x committed, in {took:.1} s"),
    );
    for (error, times) in refused {
        say("", format!("{times} x not: {error}"));
    }
    let is_quiet = shop.observer()?.quiet(QUIET).await;
    shop.databases().all_ended().await?;
    show_branches(shop.databases()).await?;
    let after = shop.databases().snapshot(TICKET.sku, "buyer-*").await?;
    table.add("after", after);
    println!("\n{table}");

    let sold = i64::try_from(committed)?;
    let there = after.free + after.held + after.sold;
    let still_held = after.held + after.reserved + after.pending;
    let spent = after.sold * PRICE;
    let sums = [
        ("free + held + sold = 100", there == TICKET.stocked),
        (
            "balances + revenue = start",
            after.balance + spent == before.balance,
        ),
        ("revenue = sold", after.revenue == before.revenue + spent),
        ("confirmed orders = sold", after.confirmed == after.sold),
        ("committed answers = sold", sold == after.sold),
        (
            "the shop went on after the account was killed",
            committed > KILLED_AT,
        ),
        ("nothing is held or pending any more", still_held == 0),
        ("no tried row is left", shop.databases().tried().await? == 0),
        ("nothing is left to do for the coordinator", is_quiet),
    ];
    for (what, holds) in sums {
        say(if holds { "ok" } else { "WRONG" }, what);
    }
    Ok(sums.iter().all(|(_, holds)| *holds))
}

async fn show_branches(databases: &Databases) -> Result<(), Failure> {
    let xids = databases.xids("buyer-*").await?;
    if let (Some(first), Some(last)) = (xids.first(), xids.last()) {
        say("xids", format!("{first} to {last}"));
    }
    let branches = databases.count_branches(&xids).await?;
    for (index, (branch, count)) in branches.iter().enumerate() {
        let label = if index == 0 { "branches" } else { "" };
        let service = &branch.participant;
        say(label, format!("{service:<8} {count} x {branch}"));
    }
    Ok(())
}

/// Lets everybody order; returns how many committed, and why the others did not.
async fn orders(shop: &mut Shop) -> Result<(usize, BTreeMap<String, usize>), Failure> {
    let customer = shop.customer()?;
    let wish = |user: String| Wish {
        user,
        sku: TICKET.sku.to_owned(),
        count: 1,
    };
    say(
        "sent",
        format!("{BUYERS} x {}", wish("buyer-NNN".to_owned())),
    );
    // A task for each: orders under way go on while the account is started again.
    let order = |(user, _)| {
        let (customer, wish) = (customer.clone(), wish(user));
        async move { tokio::spawn(async move { customer.order(wish).await }).await? }
    };
    let mut answers = stream::iter(buyers())
        .map(order)
        .buffer_unordered(AT_A_TIME);
    let (mut committed, mut refused) = (0, BTreeMap::new());
    while let Some(answer) = answers.next().await {
        let answer: Answer = answer?;
        if !answer.is_committed() {
            let error = answer.error().unwrap_or("no reason was told").to_owned();
            *refused.entry(reason(&error)).or_default() += 1;
            continue;
        }
        committed += 1;
        if committed == KILLED_AT {
            shop.process(Role::Account)?.kill().await?;
            say(
                "killed",
                format!("account, at the {committed}th committed order"),
            );
            let id = shop.start(Role::Account).await?;
            say("started", format!("account, pid {id}"));
        }
    }
    Ok((committed, refused))
}

/// The error without what differs between buyers.
fn reason(error: &str) -> String {
    let words = error
        .split(' ')
        .map(|word| if word.starts_with("u1.") { "XID" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
