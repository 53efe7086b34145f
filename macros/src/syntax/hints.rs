//! What an unknown argument was probably meant to be: a misspelt one, a word of other frameworks, or
//! an argument of another annotation.

use super::arguments::Accepted;
use crate::diagnostics::similar;
use crate::global_transactional::args::{self as global, PROPAGATION};
use crate::participant::args as participant;
use crate::two_phase_action::args as action;

/// Words that others use for an argument of ours.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("abort", "rollback"),
    ("cancel", "rollback"),
    ("commit_for", "commit_on"),
    ("compensate", "rollback"),
    ("confirm", "commit"),
    ("dont_rollback_on", "commit_on"),
    ("no_rollback_for", "commit_on"),
    ("no_rollback_on", "commit_on"),
    ("undo", "rollback"),
];

/// Words for what happens without any argument.
const NEEDLESS: &[(&str, &str)] = &[
    ("read_only", NO_DATABASE),
    ("isolation", NO_DATABASE),
    ("rollback_for", EVERY_ERROR),
    ("rollback_on", EVERY_ERROR),
];
const EVERY_ERROR: &str =
    "every error rolls back, but for those that `commit_on(..)` names: remove it";
const NO_DATABASE: &str = "a global transaction is none of a database: remove it";

/// The argument that this word stands for.
pub(super) fn meant<'a>(written: &str, accepted: &'a [Accepted]) -> Option<&'a str> {
    let names = accepted.iter().map(|known| known.name);
    let other = OTHER_WORDS.iter().find(|(word, _)| *word == written);
    other
        .and_then(|(_, ours)| names.clone().find(|name| name == ours))
        .or_else(|| similar(written, names))
}

/// What is said of an unknown argument, between its name and the list of those that are accepted.
pub(super) fn said(annotation: &str, written: &str, accepted: &[Accepted]) -> String {
    if let Some(meant) = meant(written, accepted) {
        return format!(", did you mean `{meant}`?");
    }
    if annotation == "global_transactional" {
        if PROPAGATION.iter().any(|(word, _)| *word == written) {
            return format!(", did you mean `propagation = {written}`?");
        }
        if let Some((_, why)) = NEEDLESS.iter().find(|(word, _)| *word == written) {
            return format!("; {why}.");
        }
    }
    let all = [
        ("participant", participant::ACCEPTED),
        ("global_transactional", global::ACCEPTED),
        ("two_phase_action", action::ACCEPTED),
    ];
    let owner = all.into_iter().find(|(name, accepted)| {
        *name != annotation && accepted.iter().any(|known| known.name == written)
    });
    match owner {
        Some((owner, _)) => format!("; it is one of #[{owner}]."),
        None => ";".to_owned(),
    }
}
