//! A participant whose instances are all alike, by hand.
//!
//! With annotations:
//!
//! ```text
//! #[participant(name = "letter", any_instance)]
//! impl Letters {
//!     #[two_phase_action(commit = post, rollback = none, map_err = |error| error.to_string())]
//!     pub async fn write(&self, to: &str) -> Result<(), String> { .. }
//!
//!     async fn post(&self, to: &str) -> Result<(), String> { .. }
//! }
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use unanimous::branch::{Action, ActionSpec, BoxFuture, LinkedParticipant, SourceLocation};
use unanimous::{Branch, Decision, Participant, PhaseTwoError};

use crate::ledger::Journal;

/// Writes to customers.
#[derive(Clone, Debug, Default)]
pub struct Letters {
    /// What was posted.
    pub journal: Journal,
}

const WRITE: ActionSpec = ActionSpec::new("write", file!(), line!());

const DECLARED: SourceLocation = SourceLocation {
    file: file!(),
    line: line!(),
};

impl Letters {
    /// Posted once it is decided.
    ///
    /// # Errors
    ///
    /// Nobody to write to, or a failure of the transaction, as text.
    pub async fn write(&self, to: &str) -> Result<(), String> {
        Action::mapped(&WRITE, self, |error| Err(error.to_string()))
            .argument("to", to)
            .run(async {
                if to.is_empty() {
                    return Err("to whom?".to_owned());
                }
                Ok(())
            })
            .await
    }
}

impl Participant for Letters {
    fn name(&self) -> Cow<'static, str> {
        "letter".into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[WRITE]
    }

    // A letter may be written on any instance, not only on the one that was provided.
    fn any_instance(&self) -> bool {
        true
    }

    fn declared_at(&self) -> Option<SourceLocation> {
        Some(DECLARED)
    }

    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(async move {
            match (branch.action(), branch.decision()) {
                ("write", Decision::Commit) => {
                    let to: String = branch.argument("to")?;
                    self.journal.note(format!("posted to {to}"));
                    Ok(())
                }
                ("write", Decision::Rollback) => Ok(()),
                _ => Err(branch.unknown_action()),
            }
        })
    }
}

unanimous::branch::inventory::submit! {
    LinkedParticipant::new("Letters", DECLARED.file, DECLARED.line)
}
