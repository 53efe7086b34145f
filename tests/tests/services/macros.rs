//! Macros of a user that write annotated code: participants, actions and transactional functions.

use std::sync::Arc;

use unanimous::{Error, global_transactional, participant, two_phase_action};

use crate::{Journal, ended, started};

/// Many actions that share their partners, each with attributes and a body of its own.
macro_rules! device {
    (
        $(#[$outer:meta])*
        $vis:vis $device:ident as $label:literal {
            $(
                $(#[$meta:meta])*
                fn $action:ident($self:ident $(, $(#[$mark:meta])* $parameter:ident: $ty:ty)* $(,)?) $body:block
            )+
        }
    ) => {
        $(#[$outer])*
        $vis struct $device(Journal);

        #[participant(name = concat!("device.", $label))]
        impl $device {
            $(
                $(#[$meta])*
                #[two_phase_action(commit = keep, rollback = undo)]
                $vis async fn $action(&$self $(, $(#[$mark])* $parameter: $ty)*) -> Result<(), Error> $body
            )+

            async fn keep(&self, branch: &unanimous::BranchContext) -> Result<(), Error> {
                self.0.write(format!("kept {}", branch.action()));
                Ok(())
            }

            async fn undo(&self, branch: &unanimous::BranchContext) -> Result<(), Error> {
                self.0.write(format!("undone {}", branch.action()));
                Ok(())
            }
        }
    };
}

device! {
    /// A lamp.
    #[derive(Clone)]
    pub(crate) Lamp as "lamp" {
        /// Switches it on.
        fn on(self) {
            self.0.write("on");
            Ok(())
        }

        #[allow(clippy::unused_async)]
        fn dim(self, level: u8, #[skip] steps: &mut Vec<u8>, #[allow(unused)] note: Option<&str>) {
            steps.push(level);
            self.0.write(format!("dim {level}"));
            Ok(())
        }
    }
}

/// A transactional function over an expression, a timeout and an error that commits.
macro_rules! transaction {
    ($name:ident as $word:literal, $timeout:literal, $($argument:ident: $ty:ty),*; $committing:pat => $body:expr) => {
        #[global_transactional(name = $word, timeout = $timeout, commit_on($committing))]
        async fn $name($($argument: $ty),*) -> Result<(), Failure> {
            $body
        }
    };
}

#[derive(Debug)]
enum Failure {
    Dark,
    Bright,
    Transaction(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Transaction(error)
    }
}

transaction!(light as "light", "5s", lamp: &Lamp, level: u8; Failure::Dark | Failure::Transaction(Error::NoRuntime) => {
    let mut steps = vec![];
    lamp.on().await?;
    lamp.dim(level, &mut steps, None).await?;
    assert_eq!(steps, [level]);
    match level {
        0 => Err(Failure::Dark),
        1..=9 => Ok(()),
        _ => Err(Failure::Bright),
    }
});

/// A free function and its partners, from one line.
macro_rules! written {
    ($action:ident, $undo:ident, $word:literal) => {
        #[two_phase_action(name = $word, commit = none, rollback = $undo)]
        async fn $action(#[state] journal: &Journal, count: u8) -> Result<u8, Error> {
            journal.write(format!("{} {count}", $word));
            Ok(count)
        }

        #[allow(clippy::unused_async)]
        async fn $undo(journal: &Journal, count: u8) -> Result<(), Error> {
            journal.write(format!("no {} {count}", $word));
            Ok(())
        }
    };
}

written!(ring, unring, "bell.ring");
written!(toll, untoll, "bell.toll");

#[global_transactional]
async fn sound(fails: bool) -> Result<u8, Error> {
    let count = ring(1).await? + toll(2).await?;
    if fails {
        Err(Error::NoRuntime)
    } else {
        Ok(count)
    }
}

#[tokio::test]
async fn participants_written_by_a_macro_commit_and_roll_back() {
    let journal = Journal::default();
    let lamp = Arc::new(Lamp(journal.clone()));
    let runtime = started(|builder| builder.participant(lamp.clone())).await;
    assert!(ended(&runtime, light(&lamp, 3)).await.is_ok());
    assert_eq!(journal.take(), ["dim 3", "kept dim", "kept on", "on"]);
    assert!(matches!(
        ended(&runtime, light(&lamp, 0)).await,
        Err(Failure::Dark)
    ));
    assert_eq!(journal.take(), ["dim 0", "kept dim", "kept on", "on"]);
    assert!(matches!(
        ended(&runtime, light(&lamp, 10)).await,
        Err(Failure::Bright)
    ));
    assert_eq!(journal.take(), ["dim 10", "on", "undone dim", "undone on"]);
}

#[tokio::test]
async fn functions_written_by_a_macro_commit_and_roll_back() {
    let journal = Journal::default();
    let state = journal.clone();
    let runtime = started(|builder| builder.state(state).action(ring).action(toll)).await;
    assert_eq!(ended(&runtime, sound(false)).await.ok(), Some(3));
    assert_eq!(journal.take(), ["bell.ring 1", "bell.toll 2"]);
    assert!(ended(&runtime, sound(true)).await.is_err());
    let undone = ["no bell.ring 1", "no bell.toll 2"];
    assert_eq!(
        journal.take(),
        ["bell.ring 1", "bell.toll 2", undone[0], undone[1]]
    );
}
