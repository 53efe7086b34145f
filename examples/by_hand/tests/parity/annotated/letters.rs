//! Instances that are all alike.

use by_hand::Journal;
use unanimous::participant;

#[derive(Clone, Default)]
pub(crate) struct Letters {
    pub(crate) journal: Journal,
}

#[participant(name = "letter", any_instance)]
impl Letters {
    #[two_phase_action(commit = post, rollback = none, map_err = |error| error.to_string())]
    pub(crate) async fn write(&self, to: &str) -> Result<(), String> {
        if to.is_empty() {
            return Err("to whom?".to_owned());
        }
        Ok(())
    }

    async fn post(&self, to: &str) -> Result<(), String> {
        self.journal.note(format!("posted to {to}"));
        Ok(())
    }
}
