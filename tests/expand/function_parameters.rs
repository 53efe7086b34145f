//! Every form of a parameter, passed to the partners as the action takes it; what is skipped is
//! the caller's and phase one's alone.

use std::borrow::Cow;

use unanimous::{global_transactional, two_phase_action};

use crate::world::{Failure, Journal, World};

#[derive(serde::Deserialize, serde::Serialize, Clone)]
struct Item {
    sku: String,
}

#[two_phase_action(commit = sell, rollback = put_back(journal, sku, items.len(), note, r#type))]
async fn take(
    #[state] journal: &Journal,
    sku: &str,
    items: &[Item],
    note: Option<&str>,
    first: Option<&Item>,
    label: Cow<'_, str>,
    mut r#type: u8,
    #[skip] log: &mut Vec<String>,
    #[skip] (_row, _column): (u8, u8),
) -> Result<usize, Failure> {
    r#type += 1;
    log.push(format!("{sku} {note:?} {label} {type}"));
    journal.tried(sku);
    assert!(first.is_some());
    if items.is_empty() {
        Failure::business("nothing")
    } else {
        Ok(items.len())
    }
}

async fn sell(
    journal: &Journal,
    sku: &str,
    items: &[Item],
    note: Option<&str>,
    first: Option<&Item>,
    label: Cow<'static, str>,
    kind: u8,
) -> Result<(), Failure> {
    assert_eq!((items[0].sku.as_str(), note, kind), ("tea", None, 7));
    assert_eq!(first.map(|item| &*item.sku), Some("tea"));
    journal.confirmed(label);
    assert_eq!(sku, "tea");
    Ok(())
}

async fn put_back(
    journal: &Journal,
    sku: &str,
    items: usize,
    note: Option<&str>,
    kind: u8,
) -> Result<(), Failure> {
    assert_eq!((items, note, kind), (0, Some("fresh"), 7));
    journal.cancelled(sku);
    Ok(())
}

#[global_transactional]
async fn order(items: &[Item], note: Option<&str>) -> Result<(), Failure> {
    let tea = Item { sku: "tea".into() };
    let mut log = Vec::new();
    let taken = take(
        "tea",
        items,
        note,
        Some(&tea),
        "tea".into(),
        7,
        &mut log,
        (1, 2),
    )
    .await;
    assert_eq!(log, [format!("tea {note:?} tea 8")]);
    taken.map(|count| assert_eq!(count, 1))
}

pub(crate) async fn run() {
    let world =
        World::with_actions(|builder, journal| builder.state(journal.clone()).action(take)).await;
    let tea = Item { sku: "tea".into() };
    world.commits(order(&[tea], None)).await;
    world.rolls_back(order(&[], Some("fresh"))).await;
}
