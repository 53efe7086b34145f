//! The README counts what the sources hold.

use std::collections::BTreeMap;

const BY_HAND: &str = include_str!("../src/by_hand.rs");
const FENCED: &str = include_str!("../src/fenced.rs");
const README: &str = include_str!("../README.md");

const PURPOSES: [&str; 5] = [
    "local transaction",
    "freeze row",
    "idempotence",
    "empty rollback",
    "suspension",
];

/// Lines that are neither empty nor a comment.
fn code(source: &str) -> usize {
    let lines = source.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

/// How many lines say at their end that they are there for a purpose alone.
fn counted() -> BTreeMap<&'static str, usize> {
    let tagged = |purpose: &str| {
        let tag = format!(" // {purpose}");
        BY_HAND.lines().filter(|line| line.ends_with(&tag)).count()
    };
    PURPOSES
        .into_iter()
        .map(|purpose| (purpose, tagged(purpose)))
        .collect()
}

#[test]
fn every_comment_at_the_end_of_a_line_is_a_purpose() {
    let known: usize = counted().values().sum();
    let all = BY_HAND
        .lines()
        .filter(|line| line.contains(" // ") && !line.trim().starts_with("//"))
        .count();
    assert_eq!(known, all);
}

#[test]
fn the_readme_counts_rightly() {
    let mut rows = Vec::new();
    for (purpose, lines) in counted() {
        rows.push(format!("| {purpose} | {lines} |"));
    }
    rows.push(format!(
        "| all lines of code | {} | {} |",
        code(BY_HAND),
        code(FENCED)
    ));
    for row in rows {
        assert!(README.contains(&row), "the README lacks the row `{row}`");
    }
}
