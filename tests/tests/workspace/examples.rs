//! What users write is shown in examples that run: doc tests of the crate `unanimous`. The arguments
//! of the annotations are compared with the headings of their manuals in the crate of the macros.

use std::fs;
use std::path::Path;

use crate::files::files;
use crate::metadata::root;

/// Code blocks of these kinds are compiled and run.
const RUNNING: [&str; 3] = ["", "rust", "standalone_crate"];

/// A code block of a documentation.
struct Example {
    kind: String,
    code: String,
    path: String,
}

/// The code blocks of a file: of a text, or of the documentation comments of a source.
fn examples_of(path: &Path) -> Vec<Example> {
    let is_source = path.extension().is_some_and(|extension| extension == "rs");
    let text = fs::read_to_string(path).expect("documentation is text");
    let lines = text.lines().filter_map(|line| {
        if !is_source {
            return Some(line);
        }
        let line = line.trim_start();
        let comment = line.strip_prefix("///").or(line.strip_prefix("//!"))?;
        Some(comment.strip_prefix(' ').unwrap_or(comment))
    });
    let mut found = Vec::new();
    let mut open: Option<Example> = None;
    for line in lines {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(kind), None) => {
                open = Some(Example {
                    kind: kind.to_owned(),
                    code: String::new(),
                    path: path.display().to_string(),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(example)) => {
                example
                    .code
                    .push_str(line.strip_prefix("# ").unwrap_or(line));
                example.code.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(
        open.is_none(),
        "{}: a code block has no end",
        path.display()
    );
    found
}

fn examples() -> Vec<Example> {
    let sources = files(&root().join("runtime/src"));
    let documented = sources.iter().filter(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("md" | "rs"))
    });
    documented.flat_map(|path| examples_of(path)).collect()
}

/// All that runs, in one text.
fn running() -> String {
    let examples = examples();
    let run = examples
        .iter()
        .filter(|example| RUNNING.contains(&example.kind.as_str()));
    let codes: Vec<&str> = run.map(|example| example.code.as_str()).collect();
    assert!(codes.len() > 50, "only {} examples were found", codes.len());
    codes.concat()
}

fn source(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a source file is text")
}

/// The name at the beginning of a text.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn every_example_of_the_crate_runs() {
    for example in examples() {
        assert!(
            example.kind == "text" || RUNNING.contains(&example.kind.as_str()),
            "{}: `{}`:\n{}",
            example.path,
            example.kind,
            example.code
        );
    }
}

#[test]
fn every_method_of_the_builder_is_shown_in_an_example() {
    let running = running();
    let source = source("runtime/src/runtime/builder.rs");
    let methods: Vec<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix("    pub "))
        .filter_map(|line| {
            line.strip_prefix("async ")
                .unwrap_or(line)
                .strip_prefix("fn ")
        })
        .map(name)
        .collect();
    assert!(methods.len() > 15, "{methods:?}");
    for method in methods {
        assert!(
            running.contains(&format!(".{method}(")),
            "`{method}` is not shown"
        );
    }
}

#[test]
fn every_function_for_transactional_code_is_shown_in_an_example() {
    let running = running();
    let source = source("runtime/src/global/mod.rs");
    let exported = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub use ")?.split_once("::"));
    let functions: Vec<&str> = exported
        .flat_map(|(_, names)| names.split([',', '{', '}', ';', ' ']))
        .filter(|name| name.starts_with(char::is_lowercase))
        .chain(["xid"])
        .collect();
    assert!(functions.len() > 8, "{functions:?}");
    for function in functions {
        assert!(
            running.contains(&format!("{function}(")),
            "`{function}` is not shown"
        );
    }
}

#[test]
fn every_mark_of_a_parameter_and_every_propagation_is_shown_in_an_example() {
    let running = running();
    for mark in [
        "#[skip]",
        "#[tried]",
        "#[kept]",
        "#[state]",
        "#[recorded(name = ",
        "#[recorded(default)]",
        "propagation = requires_new",
        "propagation = supports",
        "propagation = not_supported",
        "propagation = mandatory",
        "propagation = never",
    ] {
        assert!(running.contains(mark), "`{mark}` is not shown");
    }
}
