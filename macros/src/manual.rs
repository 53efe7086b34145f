//! The manual of each annotation stands on its re-export, as a text with one heading per argument.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::syntax::arguments::Accepted;
use crate::syntax::parameter::{MARKS, RECORDED};
use crate::{global_transactional, participant, two_phase_action};

/// The sections of a manual that are about arguments: `` ## `timeout` ``.
fn headings(manual: &str) -> BTreeSet<&str> {
    manual
        .lines()
        .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'))
        .filter(|heading| !heading.starts_with(['#', '&']))
        .collect()
}

/// The code blocks that are compiled and run, with what readers do not see.
fn examples(text: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), None::<(bool, String)>);
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => {
                let runs = ["", "rust", "standalone_crate"].contains(&kind);
                open = Some((runs, String::new()));
            }
            (Some(_), Some(_)) => {
                let ended = open.take().filter(|(runs, _)| *runs);
                found.extend(ended.map(|(_, code)| code));
            }
            (None, Some((_, code))) => {
                code.push_str(line);
                code.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Whether an example shows the argument in use, where readers see it: `timeout = ..`,
/// `commit_on(..)`, or the word by itself.
fn shows(examples: &[String], argument: &str) -> bool {
    let lines = examples.iter().flat_map(|code| code.lines());
    let mut seen = lines.filter(|line| !line.starts_with("# "));
    seen.any(|line| {
        line.match_indices(argument).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + argument.len()..]);
            before.ends_with(['(', ' ']) && after.starts_with([' ', '(', ')', ','])
        })
    })
}

/// The sections about arguments whose examples do not show them.
fn sections_without_example(manual: &str) -> Vec<&str> {
    let sections = manual.split("\n## `").skip(1);
    let headed = sections.filter_map(|section| section.split_once('`'));
    headed
        .filter(|(heading, section)| !shows(&examples(section), heading))
        .map(|(heading, _)| heading)
        .collect()
}

fn manual(annotation: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../runtime/src/docs")
        .join(format!("{annotation}.md"));
    fs::read_to_string(&path).unwrap()
}

/// The cell of the README's table that lists what an annotation takes.
fn listed_in_readme(annotation: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(path).unwrap();
    let first = format!("| `#[{annotation}]` |");
    let row = readme.lines().find(|line| line.starts_with(&first));
    let cells = row.unwrap().trim_end_matches(" |").rsplit(" | ");
    cells.into_iter().next().unwrap().to_owned()
}

fn check(annotation: &str, accepted: &[Accepted]) {
    let manual = manual(annotation);
    let accepted: BTreeSet<&str> = accepted.iter().map(|argument| argument.name).collect();
    assert_eq!(headings(&manual), accepted, "{annotation}");
    assert_eq!(
        sections_without_example(&manual),
        Vec::<&str>::new(),
        "{annotation}"
    );
    for word in ["ignore", "no_run", "should_panic"] {
        assert!(
            !manual.contains(&format!("```{word}")),
            "{annotation}: an example must run"
        );
    }
    let listed = listed_in_readme(annotation);
    for name in accepted {
        let is_listed = [" ", "`", "("].iter().any(|end| {
            let spelled = format!("`{name}{end}");
            listed.contains(&spelled)
        });
        assert!(is_listed, "{annotation}: the README does not list {name}");
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

#[test]
fn every_mark_of_a_parameter_is_shown_in_an_example_and_listed() {
    let (manual, listed) = (
        manual("two_phase_action"),
        listed_in_readme("two_phase_action"),
    );
    let examples = examples(&manual);
    for mark in MARKS {
        let mark = format!("#[{mark}");
        let is_seen = |line: &str| line.contains(&mark) && !line.starts_with("# ");
        let shown = examples.iter().any(|code| code.lines().any(is_seen));
        assert!(shown, "no example shows {mark}");
        assert!(listed.contains(&mark), "the README does not list {mark}");
    }
    for argument in RECORDED {
        let shown = examples.iter().flat_map(|code| code.lines()).any(|line| {
            let recorded = line.split_once("#[recorded(").map(|(_, rest)| rest);
            recorded.is_some_and(|rest| rest.contains(argument.name))
        });
        assert!(shown, "no example shows #[recorded({})]", argument.name);
    }
}
