//! Two checked-in lists, so that a change of either is seen in review: which features are there
//! and asked for, and which crates come in more than one version. `cargo xtask bless` rewrites them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use expect_test::{ExpectFile, expect_file};

use crate::metadata::{Kind, MEMBERS, crates, is_ours};

/// Stands where nobody has yet said why a crate is there twice.
const NO_REASON: &str = "why?";

/// Where a dependency ends up: with those who use us, or with those who work on us.
fn place(in_product: bool) -> &'static str {
    if in_product { "product" } else { "tests" }
}

#[test]
fn features_are_those_of_the_list() {
    expect_file!["features.txt"].assert_eq(&features());
}

fn features() -> String {
    let mut text = String::from(
        "# Features, as the manifests declare them; `cargo xtask bless` rewrites this file.\n\
         # A feature adds API and never changes behaviour.\n\n\
         # Ours, and what each turns on.\n",
    );
    for member in MEMBERS.iter() {
        for (feature, on) in &member.features {
            let on: Vec<_> = on.iter().map(String::as_str).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}: {feature} = {}", member.name, joined(&on));
        }
    }
    text.push_str(
        "\n# What we ask of others, with our users (product) and among ourselves (tests).\n",
    );
    let mut asked: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for member in MEMBERS.iter() {
        for used in member.declared.iter().filter(|used| !is_ours(&used.name)) {
            let place = place(member.published && used.kind != Kind::Dev);
            let features = asked.entry((place, &used.name)).or_default();
            features.extend(used.features.iter().map(String::as_str));
            if used.default_features {
                features.insert("default");
            }
        }
    }
    for ((place, name), features) in asked {
        let features: Vec<_> = features.into_iter().collect();
        let _ = writeln!(text, "{place}: {name} = {}", joined(&features));
    }
    text
}

#[test]
fn crates_in_more_than_one_version_are_those_of_the_list_and_have_a_reason() {
    let list: ExpectFile = expect_file!["duplicates.txt"];
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/workspace/duplicates.txt"
    );
    let text = duplicates(&std::fs::read_to_string(path).unwrap_or_default());
    list.assert_eq(&text);
    let unexplained = text
        .lines()
        .filter(|line| line.ends_with(NO_REASON))
        .collect::<Vec<_>>();
    let blessing = std::env::var_os("UPDATE_EXPECT").is_some();
    assert!(
        blessing || unexplained.is_empty(),
        "write in duplicates.txt why these come twice: {unexplained:#?}"
    );
}

/// The list anew, with the reasons of the `former` one.
fn duplicates(former: &str) -> String {
    let reasons: BTreeMap<_, _> = former.lines().filter_map(reason).collect();
    let everything: Vec<_> = MEMBERS.iter().map(|member| member.name.as_str()).collect();
    let published = MEMBERS.iter().filter(|member| member.published);
    let product: Vec<_> = published.map(|member| member.name.as_str()).collect();
    let product = crates(&product, "normal,build");
    let mut text = String::from(
        "# Crates in more than one version, with our users (product) or only among ourselves (tests),\n\
         # and why. `cargo xtask bless` rewrites this file and keeps the reasons.\n\n",
    );
    for (name, versions) in crates(&everything, "normal,build,dev") {
        if versions.len() < 2 {
            continue;
        }
        let place = place(
            product
                .get(&name)
                .is_some_and(|versions| versions.len() > 1),
        );
        let versions: Vec<_> = versions.iter().map(String::as_str).collect();
        let reason = reasons.get(name.as_str()).copied().unwrap_or(NO_REASON);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{place}: {name} {} # {reason}", versions.join(" "));
    }
    text
}

/// `tests: syn 2.0 3.0 # because` gives syn and because.
fn reason(line: &str) -> Option<(&str, &str)> {
    let (entry, reason) = line.split_once(" # ")?;
    let (_, crates) = entry.split_once(": ")?;
    Some((crates.split(' ').next()?, reason))
}

/// An empty list would leave a blank at the end of its line.
fn joined(features: &[&str]) -> String {
    if features.is_empty() {
        "none".to_owned()
    } else {
        features.join(" ")
    }
}

#[test]
fn a_reason_is_found_by_the_name_of_its_crate() {
    assert_eq!(
        reason("tests: syn 2.0.1 3.0.9 # old # macros"),
        Some(("syn", "old # macros"))
    );
    assert_eq!(reason("# Crates in more than one version"), None);
    assert_eq!(reason(""), None);
}
