//! The generated items.

use std::fmt::Write as _;

/// What a generated package is full of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    PlainFunction,
    Instrumented,
    Transactional,
    PlainMethods,
    Action,
    PlainTriples,
    FunctionAction,
}

/// So many actions, with two partners each, share a participant.
const ACTIONS_PER_PARTICIPANT: u32 = 10;

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::PlainFunction,
        Self::Instrumented,
        Self::Transactional,
        Self::PlainMethods,
        Self::Action,
        Self::PlainTriples,
        Self::FunctionAction,
    ];

    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PlainFunction => "plain functions",
            Self::Instrumented => "`#[tracing::instrument]`",
            Self::Transactional => "`#[global_transactional]`",
            Self::PlainMethods => "three plain methods each",
            Self::Action => "`#[two_phase_action]`, two partners",
            Self::PlainTriples => "three plain functions each",
            Self::FunctionAction => "the same as a function, `#[state]`",
        }
    }

    /// The package's name.
    pub(super) fn package(self) -> &'static str {
        match self {
            Self::PlainFunction => "plain_functions",
            Self::Instrumented => "instrumented",
            Self::Transactional => "transactional",
            Self::PlainMethods => "plain_methods",
            Self::Action => "actions",
            Self::PlainTriples => "plain_triples",
            Self::FunctionAction => "function_actions",
        }
    }

    /// What it is compared with.
    pub(super) fn plain(self) -> Option<Self> {
        match self {
            Self::PlainFunction | Self::PlainMethods | Self::PlainTriples => None,
            Self::Instrumented | Self::Transactional => Some(Self::PlainFunction),
            Self::Action => Some(Self::PlainMethods),
            Self::FunctionAction => Some(Self::PlainTriples),
        }
    }

    /// The source of a library with so many items.
    pub(super) fn source(self, items: u32) -> String {
        let mut source = PRELUDE.to_owned();
        match self {
            Self::PlainFunction => functions(&mut source, items, ""),
            Self::Instrumented => functions(&mut source, items, "#[tracing::instrument(skip_all)]"),
            Self::Transactional => functions(&mut source, items, "#[global_transactional]"),
            Self::PlainMethods => methods(&mut source, items, false),
            Self::Action => methods(&mut source, items, true),
            Self::PlainTriples => triples(&mut source, items, false),
            Self::FunctionAction => triples(&mut source, items, true),
        }
        source
    }
}

const PRELUDE: &str = "\
#![allow(unused_imports, dead_code)]
use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, global_transactional, participant, two_phase_action};

pub async fn step(user: &str, amount: i64) -> Result<i64, Error> {
    std::future::ready(user).await;
    Ok(amount)
}
";

fn functions(source: &mut String, items: u32, attribute: &str) {
    for item in 0..items {
        // Writing to a string cannot fail.
        let _ = write!(
            source,
            "
{attribute}
pub async fn function_{item}(user: &str, amount: i64) -> Result<i64, Error> {{
    let amount = step(user, amount + {item}).await?;
    Ok(amount * 2)
}}
"
        );
    }
}

fn methods(source: &mut String, items: u32, annotated: bool) {
    for first in (0..items).step_by(ACTIONS_PER_PARTICIPANT as usize) {
        let attribute = if annotated {
            format!("#[participant(name = \"participant_{first}\", fence = self.db)]")
        } else {
            String::new()
        };
        let _ = write!(
            source,
            "
pub struct Participant{first} {{ pub db: SqlitePool }}
{attribute}
impl Participant{first} {{"
        );
        for item in first..items.min(first + ACTIONS_PER_PARTICIPANT) {
            method(source, item, annotated);
        }
        source.push_str("}\n");
    }
}

fn method(source: &mut String, item: u32, annotated: bool) {
    let attribute = if annotated {
        format!("#[two_phase_action(commit = confirm_{item}, rollback = cancel_{item})]")
    } else {
        String::new()
    };
    let parameters = "&self, tx: &mut FenceTx<Sqlite>, user: &str, amount: i64";
    let _ = write!(
        source,
        "
    {attribute}
    pub async fn act_{item}({parameters}) -> Result<i64, Error> {{
        let _ = tx;
        let amount = step(user, amount + {item}).await?;
        Ok(amount * 2)
    }}
"
    );
    for partner in ["confirm", "cancel"] {
        let _ = write!(
            source,
            "
    pub async fn {partner}_{item}({parameters}) -> Result<(), Error> {{
        let _ = tx;
        step(user, amount + {item}).await?;
        Ok(())
    }}
"
        );
    }
}

fn triples(source: &mut String, items: u32, annotated: bool) {
    for item in 0..items {
        let (attribute, state) = if annotated {
            let partners = format!("commit = confirm_{item}, rollback = cancel_{item}");
            let attribute = format!("#[two_phase_action({partners}, fence = db)]");
            (attribute, "#[state] ")
        } else {
            (String::new(), "")
        };
        let parameters = "db: &SqlitePool, tx: &mut FenceTx<Sqlite>, user: &str, amount: i64";
        let _ = write!(
            source,
            "
{attribute}
pub async fn act_{item}({state}{parameters}) -> Result<i64, Error> {{
    let _ = (db, tx);
    let amount = step(user, amount + {item}).await?;
    Ok(amount * 2)
}}
"
        );
        for partner in ["confirm", "cancel"] {
            let _ = write!(
                source,
                "
pub async fn {partner}_{item}({parameters}) -> Result<(), Error> {{
    let _ = (db, tx);
    step(user, amount + {item}).await?;
    Ok(())
}}
"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_as_many_items_as_asked_for() {
        let count = |kind: Kind, text: &str| kind.source(25).matches(text).count();
        assert_eq!(count(Kind::Transactional, "#[global_transactional]"), 25);
        assert_eq!(count(Kind::PlainFunction, "pub async fn function_"), 25);
        assert_eq!(count(Kind::Action, "#[two_phase_action("), 25);
        assert_eq!(count(Kind::Action, "#[participant("), 3);
        assert_eq!(count(Kind::Action, "pub async fn"), 76);
        assert_eq!(count(Kind::PlainMethods, "pub async fn"), 76);
        assert_eq!(count(Kind::PlainMethods, "#[participant("), 0);
        assert_eq!(count(Kind::FunctionAction, "#[two_phase_action("), 25);
        assert_eq!(count(Kind::FunctionAction, "pub async fn"), 76);
        assert_eq!(count(Kind::PlainTriples, "pub async fn"), 76);
        assert_eq!(count(Kind::PlainTriples, "#["), 0);
    }
}
