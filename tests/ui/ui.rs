//! What the compiler says about each mistake stands beside it. `README.md` says how to add one.

mod fixes;
mod goldens;
mod told;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use goldens::Golden;

const ANNOTATIONS: [&str; 3] = ["global_transactional", "participant", "two_phase_action"];

/// The forms in which a half-typed body is compared with itself in a plain function.
const ANNOTATED: [&str; 3] = ["transactional", "action", "fenced"];

/// The cases, compared with what stands beside them.
static COMPARED: LazyLock<()> = LazyLock::new(|| {
    // Runs the cases when it is dropped.
    let cases = trybuild::TestCases::new();
    for annotation in ANNOTATIONS {
        cases.compile_fail(format!("{annotation}/fail/*.rs"));
    }
    cases.compile_fail("half_typed/*/*.rs");
});

/// The messages that stand beside the cases of a folder; while they are rewritten, the new ones.
fn goldens(name: &str) -> Vec<Golden> {
    if std::env::var_os("TRYBUILD").is_some() {
        LazyLock::force(&COMPARED);
    }
    goldens::goldens(name)
}

#[test]
fn every_mistake_is_told_as_it_stands_beside_the_case() {
    LazyLock::force(&COMPARED);
}

/// Every mistake's message, under `annotation/mistake`.
fn all() -> Vec<(String, Golden)> {
    let mut all = Vec::new();
    for annotation in ANNOTATIONS {
        for golden in goldens(&format!("{annotation}/fail")) {
            all.push((format!("{annotation}/{}", golden.name), golden));
        }
    }
    all
}

#[test]
fn at_least_two_hundred_mistakes_are_told() {
    let cases = all().len();
    assert!(cases >= 200, "cases are missing: found {cases}");
}

#[test]
fn every_message_has_its_case_and_says_what_to_write() {
    let mut missing = Vec::new();
    for (mistake, case, fix) in told::MISTAKES {
        let (folder, name) = case.rsplit_once('/').expect("a case lies in a folder");
        let found = goldens(folder)
            .into_iter()
            .find(|golden| golden.name == name);
        if !found.is_some_and(|golden| golden.text.contains(fix)) {
            missing.push(format!("{mistake}: {case} does not say `{fix}`"));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_error_lies_in_the_case_and_says_what_to_write() {
    let (mut found, mut unused): (Vec<String>, Vec<_>) = (Vec::new(), fixes::OF_RUSTC.to_vec());
    for (case, golden) in all() {
        let (annotation, mistake) = case.split_once('/').expect("annotation/mistake");
        let file = format!("{annotation}/fail/{mistake}.rs");
        for error in golden.errors() {
            let message = &error.message;
            if error.file != file {
                found.push(format!("{case} lies in {}: {message}", error.file));
            }
            let is_listed = |(of, said): &(&str, &str)| *of == case && error.text.contains(said);
            let listed = fixes::OF_RUSTC.iter().any(is_listed);
            unused.retain(|one| !is_listed(one));
            if !listed && !fixes::says_what_to_write(&error.text) {
                found.push(format!("{case} does not say what to write: {message}"));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(unused, [], "these are not said any more");
}

/// The last line of a case, `// mistakes: 3`, says how many it holds; without, it is one.
#[test]
fn every_mistake_is_told_once_and_nothing_else_is() {
    let mut found = Vec::new();
    for (case, golden) in all() {
        let (errors, mistakes) = (golden.errors().len(), golden.mistakes());
        let repeated = fixes::REPEATED.iter().find(|(of, ..)| *of == case);
        let expected = repeated.map_or(mistakes, |(_, errors, _)| *errors);
        if errors != expected {
            found.push(format!("{case}: {mistakes} mistakes, {errors} errors"));
        }
        if let Some((_, _, why)) = repeated.filter(|_| errors <= mistakes) {
            found.push(format!("{case} repeats nothing: {why}"));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// The callers have done nothing wrong, unless the mistake is theirs.
#[test]
fn callers_of_a_broken_item_get_no_error_of_their_own() {
    let mut found = Vec::new();
    for (case, golden) in all() {
        let without = fixes::WITHOUT_CALLER.iter().any(|(of, _)| *of == case);
        let lines = golden.caller();
        if lines.is_some() == without {
            found.push(format!("{case}: has a caller, or a reason, but not both"));
        }
        let Some(lines) = lines else { continue };
        if golden.name.ends_with("_by_caller") {
            continue;
        }
        for error in golden.errors() {
            if lines.contains(&error.line) {
                found.push(format!("{case}: {}", error.message));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// An attribute is the place of a mistake only where nothing in it or below it is.
#[test]
fn every_error_points_into_the_code_and_not_at_the_whole_attribute() {
    let mut found = Vec::new();
    for (case, golden) in all() {
        for error in golden.errors() {
            if error.at_attribute && !told::AT_THE_ATTRIBUTE.contains(&case.as_str()) {
                found.push(format!("{case}: {}", error.message));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_half_typed_body_reports_no_more_than_a_plain_function_does_plus_one() {
    let count = |form: &str| -> BTreeMap<String, usize> {
        goldens(&format!("half_typed/{form}"))
            .iter()
            .map(|golden| (golden.name.clone(), golden.errors().len()))
            .collect()
    };
    let plain = count("plain");
    assert!(plain.len() >= 8, "only {} bodies", plain.len());
    for form in ANNOTATED {
        let annotated = count(form);
        assert!(annotated.keys().eq(plain.keys()), "{form} lacks a body");
        for (body, errors) in annotated {
            let in_plain = plain[&body];
            assert!(
                errors <= in_plain + 1,
                "{form}/{body} reports {errors} errors, a plain function {in_plain}"
            );
        }
    }
}
