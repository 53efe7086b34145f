//! How files are kept: not too long, under the workspace's lints, and free of this machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::metadata::{MEMBERS, root};

/// Longer than this, a file has more than one subject.
const LONGEST: usize = 600;

/// Build output, and hidden folders that are not the project's: git's, an editor's.
fn is_foreign(folder: &Path) -> bool {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_hidden = name.starts_with('.') && !matches!(name, ".cargo" | ".ci");
    // Cargo leaves this file in its build folder.
    is_hidden || folder.join(".rustc_info.json").exists()
}

/// All files of the tree.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_symlink() {
            continue;
        }
        if !path.is_dir() {
            files.push(path);
        } else if !is_foreign(&path) {
            files.extend(self::files(&path));
        }
    }
    files
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Written by a program, or compared with what a program wrote.
fn is_generated(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("/generated/") || text.ends_with(".expanded.rs")
}

#[test]
fn no_source_file_is_too_long() {
    let mut seen = 0;
    for path in files(root()) {
        if path.extension().is_none_or(|extension| extension != "rs") || is_generated(&path) {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(&path).expect("a source file is text");
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST,
            "{} has {lines} lines, more than {LONGEST}",
            shown(&path)
        );
    }
    assert!(seen > 20, "only {seen} source files were found");
}

#[test]
fn every_member_takes_the_lints_of_the_workspace() {
    for member in MEMBERS.iter() {
        let manifest = fs::read_to_string(member.folder.join("Cargo.toml")).expect("a manifest");
        let mut lines = manifest
            .lines()
            .skip_while(|line| line.trim() != "[lints]")
            .skip(1);
        assert_eq!(
            lines.next().map(|line| line.replace(' ', "")).as_deref(),
            Some("workspace=true"),
            "{} lacks `[lints]` with `workspace = true`",
            member.name
        );
    }
}

/// A path that exists on one machine only, if the text holds one.
fn machine_path<'a>(text: &str, places: &'a [String]) -> Option<&'a str> {
    let is_there = |place: &&String| {
        text.match_indices(place.as_str()).any(|(at, _)| {
            // `example/home/x` is no path from the root.
            !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '.')
        })
    };
    places.iter().find(is_there).map(String::as_str)
}

/// Folders of people, spelled so that this file does not hold them, and where this tree lies.
fn machine_places() -> Vec<String> {
    let mut places: Vec<String> = ["home", "root", "Users"]
        .iter()
        .map(|name| format!("/{name}/"))
        .collect();
    let here = [
        Some(root().to_owned()),
        env::var_os("HOME").map(PathBuf::from),
    ];
    // A folder right below the root, such as `/app`, is a word that texts may well hold.
    let deep = here
        .into_iter()
        .flatten()
        .filter(|place| place.components().count() > 2);
    places.extend(deep.map(|place| format!("{}/", place.display())));
    places
}

#[test]
fn no_file_holds_a_path_of_one_machine() {
    let places = machine_places();
    let mut seen = 0;
    for path in files(root()) {
        // What is no text was not written by hand.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        seen += 1;
        if let Some(place) = machine_path(&text, &places) {
            panic!("{} holds {place}..", shown(&path));
        }
    }
    assert!(seen > 20, "only {seen} files were found");
}

#[test]
fn a_path_of_one_machine_is_recognised() {
    let place = format!("/{}/", "srv");
    let places = [place.clone()];
    for text in [
        format!("{place}x"),
        format!("a {place}x"),
        format!("\"{place}x\""),
    ] {
        assert_eq!(machine_path(&text, &places), Some(place.as_str()), "{text}");
    }
    for text in [
        format!("tree{place}x"),
        format!("..{place}x"),
        "/srved/".to_owned(),
    ] {
        assert_eq!(machine_path(&text, &places), None, "{text}");
    }
}
