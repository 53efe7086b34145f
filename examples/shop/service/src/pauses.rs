//! Points at which a service can be stopped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::{Command, Report, say};

/// The pause points of a service; clones are the same points.
///
/// Without the launcher they cost nothing and hold nobody.
#[derive(Clone, Debug, Default)]
pub struct Pauses {
    held: Option<Arc<Mutex<BTreeMap<String, Hold>>>>,
}

/// What the launcher asked of one point.
#[derive(Debug)]
enum Hold {
    /// The next one to reach it waits.
    Next,
    /// Somebody waits.
    Waiting(oneshot::Sender<()>),
}

/// Somebody at a point that is held.
#[derive(Debug)]
pub struct Pause {
    name: &'static str,
    released: oneshot::Receiver<()>,
}

impl Pauses {
    /// Points that nobody holds.
    #[must_use]
    pub fn none() -> Self {
        Self { held: None }
    }

    pub(crate) fn obeyed() -> Self {
        Self {
            held: Some(Arc::default()),
        }
    }

    /// Passes a point; waits there if the launcher holds it.
    pub async fn pass(&self, name: &'static str) {
        if let Some(mut pause) = self.reach(name) {
            pause.released().await;
        }
    }

    /// Reaches a point: something if the launcher holds it. A hold counts for the first who comes.
    #[must_use]
    pub fn reach(&self, name: &'static str) -> Option<Pause> {
        let mut held = self.lock()?;
        let point = held.get_mut(name)?;
        if matches!(point, Hold::Waiting(_)) {
            return None;
        }
        let (release, released) = oneshot::channel();
        *point = Hold::Waiting(release);
        say(&Report::Reached(name.to_owned()));
        Some(Pause { name, released })
    }

    pub(crate) fn obey(&self, command: Command) {
        let Some(mut held) = self.lock() else { return };
        match command {
            Command::Hold(name) => {
                held.insert(name.clone(), Hold::Next);
                say(&Report::Holding(name));
            }
            Command::Release(name) => {
                if let Some(Hold::Waiting(release)) = held.remove(&name) {
                    // Who waited there may have given up since.
                    let _ = release.send(());
                }
            }
        }
    }

    pub(crate) fn release_all(&self) {
        if let Some(mut held) = self.lock() {
            held.clear();
        }
    }

    fn lock(&self) -> Option<std::sync::MutexGuard<'_, BTreeMap<String, Hold>>> {
        // No holder of the lock can panic halfway through a change.
        self.held
            .as_ref()
            .map(|held| held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Pause {
    /// Waits until the launcher releases the point, or is gone.
    pub async fn released(&mut self) {
        // A dropped sender is a launcher that is gone.
        let _ = (&mut self.released).await;
    }

    /// Tells the launcher what came of it.
    pub fn tell(self, text: impl Into<String>) {
        say(&Report::Told(self.name.to_owned(), text.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(name: &str) -> Command {
        Command::Hold(name.to_owned())
    }

    #[tokio::test]
    async fn only_the_first_who_comes_waits_and_only_where_it_is_held() {
        let pauses = Pauses::obeyed();
        pauses.obey(hold("here"));
        assert!(pauses.reach("there").is_none());
        let mut pause = pauses.reach("here").expect("the point is held");
        pauses.pass("here").await;
        pauses.obey(Command::Release("here".to_owned()));
        pause.released().await;
        assert!(pauses.reach("here").is_none(), "a hold counts once");
    }

    #[tokio::test]
    async fn whoever_waits_goes_on_when_the_launcher_is_gone() {
        let pauses = Pauses::obeyed();
        pauses.obey(hold("here"));
        let mut pause = pauses.reach("here").expect("the point is held");
        pauses.release_all();
        pause.released().await;
    }

    #[tokio::test]
    async fn without_the_launcher_nothing_is_held() {
        let pauses = Pauses::none();
        pauses.obey(hold("here"));
        pauses.pass("here").await;
    }
}
