//! Reads cases and what the compiler says about them.

use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::ANNOTATIONS;

/// A case with its message.
pub(crate) struct Golden {
    /// The case's name: its mistake.
    pub(crate) name: String,
    source: String,
    /// What the compiler says.
    pub(crate) text: String,
}

/// One error of a message.
pub(crate) struct Reported {
    pub(crate) message: String,
    /// All that is said of it.
    pub(crate) text: String,
    /// The file in which it is.
    pub(crate) file: String,
    /// Where it is, in lines of the case.
    pub(crate) line: usize,
    /// Whether one of our annotations is underlined as a whole.
    pub(crate) at_attribute: bool,
}

/// Every case of a folder; none of them, and no message, stands alone.
pub(crate) fn goldens(name: &str) -> Vec<Golden> {
    let mut cases = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    for entry in fs::read_dir(folder).expect("the folder of the cases") {
        let path = entry.expect("an entry").path();
        let is_case = path.extension().is_some_and(|extension| extension == "rs");
        let other = path.with_extension(if is_case { "stderr" } else { "rs" });
        assert!(other.exists(), "{} stands alone", path.display());
        if is_case {
            cases.push(Golden::read(&path.with_extension("")));
        }
    }
    cases
}

impl Golden {
    /// The case of this path, without an extension.
    fn read(path: &Path) -> Self {
        let read = |extension: &str| {
            let path = path.with_extension(extension);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        Self {
            name: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            source: read("rs"),
            text: read("stderr"),
        }
    }

    /// The lines of the function `caller`.
    pub(crate) fn caller(&self) -> Option<Range<usize>> {
        let lines: Vec<&str> = self.source.lines().collect();
        let first = lines
            .iter()
            .position(|line| line.trim_start_matches("async ").starts_with("fn caller"))?;
        let length = lines[first..].iter().position(|line| *line == "}")?;
        Some(first + 1..first + length + 2)
    }

    /// Every error of the message.
    pub(crate) fn errors(&self) -> Vec<Reported> {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_error = |line: &str| line.starts_with("error:") || line.starts_with("error[");
        let starts: Vec<usize> = (0..lines.len()).filter(|at| is_error(lines[*at])).collect();
        let ends = starts.iter().skip(1).copied().chain([lines.len()]);
        let errors = starts.iter().zip(ends);
        errors
            .map(|(start, end)| reported(&lines[*start..end]))
            .collect()
    }

    /// How many mistakes the case holds: what its last line says, or one.
    pub(crate) fn mistakes(&self) -> usize {
        let last = self.source.lines().last().unwrap_or_default();
        let Some(count) = last.strip_prefix("// mistakes: ") else {
            return 1;
        };
        count.parse().expect("`// mistakes: N` is a number")
    }
}

/// Reads `error: message`, then ` --> file:LINE:COLUMN`, then the code with what is underlined.
fn reported(lines: &[&str]) -> Reported {
    let place = lines
        .iter()
        .find_map(|line| line.trim_start().strip_prefix("--> "))
        .expect("every error has a place");
    let mut numbers = place.rsplit(':');
    let _column = numbers.next();
    let line: usize = numbers
        .next()
        .and_then(|line| line.parse().ok())
        .expect("the place is file:LINE:COLUMN");
    let file = numbers.next().unwrap_or_default().to_owned();
    let shown = format!("{line} |");
    let at = lines
        .iter()
        .position(|text| text.trim_start().starts_with(&shown));
    let at_attribute = at.is_some_and(|at| {
        let code = after_bar(lines[at]).trim();
        let under = lines
            .get(at + 1)
            .map_or("", |under| after_bar(under).trim());
        let carets = under.chars().take_while(|mark| *mark == '^').count();
        let is_ours = ANNOTATIONS.iter().any(|name| {
            let rest = code.strip_prefix("#[");
            rest.is_some_and(|rest| rest.starts_with(name))
        });
        is_ours && carets >= code.chars().count()
    });
    Reported {
        message: lines[0].to_owned(),
        text: lines.join("\n"),
        file,
        line,
        at_attribute,
    }
}

/// What stands behind the line's number.
fn after_bar(line: &str) -> &str {
    line.split_once('|').map_or("", |(_, code)| code)
}
