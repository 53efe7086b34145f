//! The manual of each annotation stands on its re-export, as a text with one heading per argument.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::syntax::arguments::Accepted;
use crate::{global_transactional, participant, two_phase_action};

/// The sections of a manual that are about arguments: `` ## `timeout` ``.
fn headings(manual: &str) -> BTreeSet<&str> {
    manual
        .lines()
        .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'))
        .filter(|heading| !heading.starts_with(['#', '&']))
        .collect()
}

/// Each section has an example that is compiled and run.
fn sections_without_example(manual: &str) -> Vec<&str> {
    let sections = manual.split("\n## ").skip(1);
    sections
        .filter(|section| !section.contains("\n```\n") && !section.contains("\n```rust\n"))
        .filter_map(|section| section.lines().next())
        .collect()
}

fn check(annotation: &str, accepted: &[Accepted]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../runtime/src/docs")
        .join(format!("{annotation}.md"));
    let manual = fs::read_to_string(&path).unwrap();
    let accepted: BTreeSet<&str> = accepted.iter().map(|argument| argument.name).collect();
    assert_eq!(headings(&manual), accepted, "{}", path.display());
    assert_eq!(
        sections_without_example(&manual),
        Vec::<&str>::new(),
        "{}",
        path.display()
    );
    for word in ["ignore", "no_run", "should_panic"] {
        assert!(
            !manual.contains(&format!("```{word}")),
            "{}: an example must run",
            path.display()
        );
    }
}

#[test]
fn every_argument_of_global_transactional_has_a_heading_and_an_example() {
    check("global_transactional", global_transactional::args::ACCEPTED);
}

#[test]
fn every_argument_of_participant_has_a_heading_and_an_example() {
    check("participant", participant::args::ACCEPTED);
}

#[test]
fn every_argument_of_two_phase_action_has_a_heading_and_an_example() {
    let on_functions = two_phase_action::free::args::ACCEPTED.iter();
    let all: Vec<Accepted> = two_phase_action::args::ACCEPTED
        .iter()
        .chain(on_functions)
        .map(|&Accepted { name, example }| Accepted { name, example })
        .collect();
    check("two_phase_action", &all);
}
