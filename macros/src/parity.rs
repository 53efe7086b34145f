//! Everything an annotation does can be done by hand. `examples/by_hand/README.md` says how, one row
//! for each ability, and names the test that compares the two; here the rows are compared with what
//! the annotations accept, so that no argument comes without its row, its code by hand and its test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::syntax::arguments::Accepted;
use crate::syntax::parameter::{MARKS, RECORDED};
use crate::{global_transactional, participant, two_phase_action};

const GLOBAL: &str = "`#[global_transactional]`";
const PARTICIPANT: &str = "`#[participant]`";
const METHOD: &str = "`#[two_phase_action]` on a method";
const FUNCTION: &str = "`#[two_phase_action]` on a free function";
const PARAMETER: &str = "Parameters of an action";

/// One line of a table.
struct Row {
    section: String,
    ability: String,
    by_hand: Vec<String>,
    test: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/by_hand")
}

/// What stands between backticks.
fn code(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(|code| code.replace('\u{0}', "|"))
        .collect()
}

fn rows() -> Vec<Row> {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let mut rows = Vec::new();
    for section in readme.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap_or_default();
        let lines = section.lines().filter(|line| line.starts_with("| `"));
        rows.extend(lines.map(|line| {
            // A bar inside a cell is escaped, as tables want it.
            let line = line.replace("\\|", "\u{0}");
            let cells: Vec<&str> = line.split(" | ").collect();
            let [ability, by_hand, test] = cells[..] else {
                panic!("a row has three cells: {line}");
            };
            Row {
                section: heading.to_owned(),
                ability: code(ability).concat(),
                by_hand: code(by_hand),
                test: code(test).concat(),
            }
        }));
    }
    rows
}

/// All Rust files below a folder, as text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// The text without comments, in which an ability by hand would only be spoken of.
fn uncommented(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The words that the table of a section has to begin its rows with.
fn expected(section: &str) -> BTreeSet<String> {
    let names = |accepted: &[Accepted]| -> BTreeSet<String> {
        accepted.iter().map(|one| one.name.to_owned()).collect()
    };
    match section {
        GLOBAL => {
            let mut words = names(global_transactional::args::ACCEPTED);
            words.remove("propagation");
            let kinds = global_transactional::args::PROPAGATION.iter();
            words.extend(kinds.map(|(word, _)| format!("propagation = {word}")));
            words
        }
        PARTICIPANT => names(participant::args::ACCEPTED),
        METHOD => names(two_phase_action::args::ACCEPTED),
        FUNCTION => names(two_phase_action::free::args::ACCEPTED),
        PARAMETER => {
            let marks = MARKS.iter().filter(|mark| **mark != "recorded");
            let mut words: BTreeSet<String> = marks.map(|mark| format!("#[{mark}]")).collect();
            let recorded = RECORDED.iter();
            words.extend(recorded.map(|one| format!("#[recorded({})]", one.name)));
            words.insert("&BranchContext".to_owned());
            words
        }
        other => panic!("a section that belongs to no annotation: {other}"),
    }
}

/// The ability that a row is about: `commit` of `commit = none`, `propagation = never` as it is.
fn subject(row: &Row) -> String {
    let text = &row.ability;
    if text.starts_with("propagation") || row.section == PARAMETER {
        return text.clone();
    }
    let end = text.find([' ', '(']).unwrap_or(text.len());
    text[..end].to_owned()
}

#[test]
fn every_ability_of_an_annotation_has_a_row_by_hand() {
    let rows = rows();
    for section in [GLOBAL, PARTICIPANT, METHOD, FUNCTION, PARAMETER] {
        let told: BTreeSet<String> = rows
            .iter()
            .filter(|row| row.section == section)
            .map(subject)
            .collect();
        assert_eq!(told, expected(section), "{section}");
    }
}

#[test]
fn every_row_is_shown_by_hand_and_names_a_test_of_parity() {
    let by_hand = sources(&folder().join("src"));
    let by_hand: Vec<String> = by_hand.iter().map(|(_, text)| uncommented(text)).collect();
    let tests = sources(&folder().join("tests/parity"));
    for row in rows() {
        let Row { ability, test, .. } = &row;
        assert!(!row.by_hand.is_empty(), "`{ability}` has no code by hand");
        for code in &row.by_hand {
            let shown = by_hand.iter().any(|text| text.contains(code.as_str()));
            assert!(shown, "`{code}` for `{ability}` stands nowhere in src");
        }
        let is_test = format!("#[tokio::test]\nasync fn {test}(");
        let found = tests.iter().any(|(_, text)| text.contains(&is_test));
        assert!(found, "no test `{test}` for `{ability}`");
    }
}

/// What the annotated version writes: `global_transactional.timeout`, `skip`.
fn written(tokens: TokenStream, free: bool, into: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let after_hash =
            at > 0 && matches!(&tokens[at - 1], TokenTree::Punct(hash) if hash.as_char() == '#');
        if after_hash && group.delimiter() == Delimiter::Bracket {
            attribute(group.stream(), free, into);
        }
        written(group.stream(), free, into);
    }
}

fn attribute(tokens: TokenStream, free: bool, into: &mut BTreeSet<String>) {
    let mut tokens = tokens.into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else {
        return;
    };
    let section = match name.to_string().as_str() {
        "global_transactional" => GLOBAL,
        "participant" => PARTICIPANT,
        "two_phase_action" if free => FUNCTION,
        "two_phase_action" => METHOD,
        mark => {
            into.insert(format!("{PARAMETER} #[{mark}]"));
            PARAMETER
        }
    };
    let Some(TokenTree::Group(arguments)) = tokens.next() else {
        return;
    };
    let arguments: Vec<TokenTree> = arguments.stream().into_iter().collect();
    for argument in
        arguments.split(|token| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ','))
    {
        let words: Vec<String> = argument.iter().map(ToString::to_string).collect();
        let Some(key) = words.first() else {
            continue;
        };
        let wanted = match (section, key.as_str()) {
            (GLOBAL, "propagation") => words.join(" "),
            (PARAMETER, key) => format!("#[{name}({key})]"),
            (_, key) => key.to_owned(),
        };
        into.insert(format!("{section} {wanted}"));
    }
}

/// The comparison is between two versions that both use what the row is about.
#[test]
fn every_row_is_used_by_the_annotated_version() {
    let mut used = BTreeSet::new();
    for (path, text) in sources(&folder().join("tests/parity/annotated")) {
        let free = path.ends_with("fees.rs");
        written(text.parse().unwrap(), free, &mut used);
        if text.contains("branch: &BranchContext") {
            used.insert(format!("{PARAMETER} &BranchContext"));
        }
    }
    for row in rows() {
        let wanted = format!("{} {}", row.section, subject(&row));
        assert!(
            used.contains(&wanted),
            "nothing annotated uses {wanted}: {used:?}"
        );
    }
}
