//! `cargo xtask rules`: which test keeps which rule of the commit protocol.
//!
//! A test names the rules it keeps at the start of its own name: `tc6_commit_is_refused_when_..`
//! keeps TC6, `tc4_tc5_..` keeps both. Nothing else connects the two, so a rule cannot lose its
//! last test without this command noticing.

mod list;
mod scan;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use list::{EXEMPT, RULES};
use scan::{TestFn, rule_ids, test_fns};

use crate::workspace::{Workspace, is_build_folder};

/// Prints rule -> tests; an error when a rule has no test, or a test names a rule that is none.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mut tests = Vec::new();
    for file in rust_files(&workspace.root)? {
        let text =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let place = file
            .strip_prefix(&workspace.root)
            .unwrap_or(&file)
            .display()
            .to_string();
        tests.extend(test_fns(&text).into_iter().map(|test| Found {
            file: place.clone(),
            test,
        }));
    }
    let (report, problems) = report(&tests);
    print!("{report}");
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n       "))
    }
}

/// A test and where it stands.
struct Found {
    file: String,
    test: TestFn,
}

/// The listing, and what is wrong with it.
fn report(tests: &[Found]) -> (String, Vec<String>) {
    let mut problems = Vec::new();
    let mut keepers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Found { file, test } in tests {
        let place = format!("{file}:{} {}", test.line, test.name);
        for id in rule_ids(&test.name) {
            let Some(rule) = RULES.iter().find(|rule| rule.id == id) else {
                problems.push(format!("{place}: there is no rule {id}"));
                continue;
            };
            if test.ignored {
                problems.push(format!("{place}: an ignored test keeps no rule"));
            } else {
                keepers.entry(rule.id).or_default().push(place.clone());
            }
        }
    }
    let mut text = String::new();
    for rule in RULES {
        let places = keepers.get(rule.id).map_or(&[][..], Vec::as_slice);
        let exempt = EXEMPT
            .iter()
            .find(|(id, _)| *id == rule.id)
            .map(|(_, reason)| reason);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<5} {}", rule.id, rule.title);
        for place in places {
            let _ = writeln!(text, "        {place}");
        }
        match (exempt, places.is_empty()) {
            (Some(reason), true) => {
                let _ = writeln!(text, "        exempt: {reason}");
            }
            (Some(_), false) => problems.push(format!(
                "{} has a test: strike it from the list of exempt rules",
                rule.id
            )),
            (None, true) => problems.push(format!(
                "{} has no test: name one {}_..",
                rule.id,
                rule.id.to_lowercase()
            )),
            (None, false) => {}
        }
    }
    let _ = writeln!(
        text,
        "{} rules, {} with tests, {} exempt",
        RULES.len(),
        keepers.len(),
        EXEMPT.len()
    );
    (text, problems)
}

/// Every source file but build output, hidden folders and generated code.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            let skipped = name.starts_with('.') || name == "generated" || is_build_folder(&path);
            if !skipped {
                files.extend(rust_files(&path)?);
            }
        } else if path.extension().is_some_and(|ext| ext == "rs") && !name.ends_with(".expanded.rs")
        {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, ignored: bool) -> Found {
        Found {
            file: "a.rs".into(),
            test: TestFn {
                name: name.into(),
                line: 7,
                ignored,
            },
        }
    }

    /// One test for every rule that needs one.
    fn whole() -> Vec<Found> {
        RULES
            .iter()
            .filter(|rule| EXEMPT.iter().all(|(id, _)| *id != rule.id))
            .map(|rule| found(&format!("{}_holds", rule.id.to_lowercase()), false))
            .collect()
    }

    #[test]
    fn every_rule_is_listed_with_its_tests() {
        let (text, problems) = report(&whole());
        assert!(problems.is_empty(), "{problems:?}");
        assert!(text.contains("\n        a.rs:7 tc6_holds\n"), "{text}");
    }

    #[test]
    fn a_rule_without_a_test_is_a_problem() {
        let mut tests = whole();
        tests.retain(|found| found.test.name != "rm5_holds");
        assert_eq!(report(&tests).1, ["RM5 has no test: name one rm5_.."]);
    }

    #[test]
    fn a_test_for_no_known_rule_is_a_problem() {
        let mut tests = whole();
        tests.push(found("tc15_holds", false));
        assert_eq!(
            report(&tests).1,
            ["a.rs:7 tc15_holds: there is no rule TC15"]
        );
    }

    #[test]
    fn an_ignored_test_keeps_no_rule() {
        let mut tests = whole();
        tests.retain(|found| found.test.name != "tm3_holds");
        tests.push(found("tm3_holds", true));
        let expected = [
            "a.rs:7 tm3_holds: an ignored test keeps no rule",
            "TM3 has no test: name one tm3_..",
        ];
        assert_eq!(report(&tests).1, expected);
    }

    #[test]
    fn an_exempt_rule_that_is_tested_leaves_the_list() {
        for (id, _) in EXEMPT {
            let mut tests = whole();
            tests.push(found(&format!("{}_holds", id.to_lowercase()), false));
            let expected = format!("{id} has a test: strike it from the list of exempt rules");
            assert_eq!(report(&tests).1, [expected]);
        }
    }

    #[test]
    fn exempt_rules_are_rules_and_say_why() {
        for (id, reason) in EXEMPT {
            assert!(RULES.iter().any(|rule| rule.id == *id), "{id} is no rule");
            assert!(reason.len() > 20, "{id} needs a reason");
        }
    }
}
