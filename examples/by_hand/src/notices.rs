//! A participant without a fence, by hand.
//!
//! With annotations:
//!
//! ```text
//! #[participant(name = "notice", map_err = |error| error.to_string())]
//! impl Notices {
//!     #[two_phase_action(commit = send, rollback = withdraw)]
//!     pub async fn announce(&self, text: &str) -> Result<u64, String> { .. }
//!
//!     async fn send(&self, #[tried] number: &u64) -> Result<(), String> { .. }
//!     async fn withdraw(&self, #[tried] number: Option<&u64>) -> Result<(), String> { .. }
//! }
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use unanimous::branch::{Action, ActionSpec, BoxFuture, LinkedParticipant, SourceLocation};
use unanimous::{Branch, Decision, Participant, PhaseTwoError};

/// What became of a notice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Notice {
    /// Written, and waiting for the decision.
    Draft,
    /// Sent.
    Sent,
}

/// Notices by number. Nothing here is lost or doubled when phase two comes twice: without a fence
/// that is the participant's own duty.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<BTreeMap<u64, (String, Notice)>>);

impl Outbox {
    /// Writes a notice that is not sent yet; returns its number.
    ///
    /// # Errors
    ///
    /// An empty text is refused.
    pub fn draft(&self, text: &str) -> Result<u64, String> {
        if text.is_empty() {
            return Err("it says nothing".to_owned());
        }
        let mut notices = self.lock();
        let number = notices.keys().next_back().map_or(1, |last| last + 1);
        notices.insert(number, (text.to_owned(), Notice::Draft));
        Ok(number)
    }

    /// Sends a draft.
    pub fn send(&self, number: u64) {
        if let Some((_, notice)) = self.lock().get_mut(&number) {
            *notice = Notice::Sent;
        }
    }

    /// Throws a draft away.
    pub fn withdraw(&self, number: u64) {
        self.lock().remove(&number);
    }

    /// All notices, by number.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Notice)> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, (String, Notice)>> {
        // Every change above is one statement, so a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells customers what happened.
#[derive(Debug, Default)]
pub struct Notices {
    /// Where notices wait.
    pub outbox: Outbox,
}

const ANNOUNCE: ActionSpec = ActionSpec::new("announce", file!(), line!());

const DECLARED: SourceLocation = SourceLocation {
    file: file!(),
    line: line!(),
};

impl Notices {
    /// Phase one: writes a draft, and returns its number.
    ///
    /// # Errors
    ///
    /// An empty text, or a failure of the transaction, as text.
    pub async fn announce(&self, text: &str) -> Result<u64, String> {
        // A `String` cannot hold our error, so a function says how one is made: `map_err`.
        Action::mapped(&ANNOUNCE, self, |error| Err(error.to_string()))
            .argument("text", text)
            // `run_stored` and not `run`: phase two needs the number.
            .run_stored(async { self.outbox.draft(text) })
            .await
    }

    fn end(&self, branch: &Branch) -> Result<(), PhaseTwoError> {
        match (branch.action(), branch.decision()) {
            ("announce", Decision::Commit) => {
                // A commit names only branches whose phase one succeeded, so the value is there.
                self.outbox.send(branch.tried_or_missing()?);
            }
            ("announce", Decision::Rollback) => {
                // Phase one may never have run, or have failed: then there is no value.
                if let Some(number) = branch.tried()? {
                    self.outbox.withdraw(number);
                }
            }
            _ => return Err(branch.unknown_action()),
        }
        Ok(())
    }
}

impl Participant for Notices {
    fn name(&self) -> Cow<'static, str> {
        "notice".into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[ANNOUNCE]
    }

    fn declared_at(&self) -> Option<SourceLocation> {
        Some(DECLARED)
    }

    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(async move { self.end(branch) })
    }
}

unanimous::branch::inventory::submit! {
    LinkedParticipant::new("Notices", DECLARED.file, DECLARED.line)
}
