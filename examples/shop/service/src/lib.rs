//! How a service of the shop starts, is paused for a scene, and ends.
//!
//! A service says on its standard output where it listens, and ends when its standard input
//! closes: a launcher that is killed leaves no service behind. With `--pauses` the launcher may
//! also stop it at a named point ([`Pauses`]), so that what happens between two steps of a
//! transaction is certain and not a matter of luck.

mod options;
mod pauses;
mod script;

pub use options::Options;
pub use pauses::{Pause, Pauses};
pub use script::{Command, Report};

use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::thread;

use tokio::sync::watch;

/// What one piece of any article costs: the order service charges it, the launcher checks with it.
pub const PRICE: i64 = 10;

/// The line to the launcher, or to the person who started the service by hand.
#[derive(Clone, Debug)]
pub struct Stage {
    pauses: Pauses,
    ended: watch::Receiver<bool>,
}

impl Stage {
    /// Listens to standard input from now on. Its pause points are obeyed only if `with_pauses`.
    #[must_use]
    pub fn enter(with_pauses: bool) -> Self {
        let pauses = if with_pauses {
            Pauses::obeyed()
        } else {
            Pauses::none()
        };
        let (end, ended) = watch::channel(false);
        let obeying = pauses.clone();
        thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if let Ok(command) = line.parse() {
                    obeying.obey(command);
                }
            }
            // Nobody is left who could release what waits.
            obeying.release_all();
            end.send_replace(true);
        });
        Self { pauses, ended }
    }

    /// The points at which this service can be stopped.
    #[must_use]
    pub fn pauses(&self) -> Pauses {
        self.pauses.clone()
    }

    /// Says that the service is ready for calls at this address.
    pub fn ready(&self, address: SocketAddr) {
        say(&Report::Listening(address));
    }

    /// Completes when standard input has closed.
    pub async fn ended(mut self) {
        // The sender goes with the thread that reads: that is the end as well.
        let _ = self.ended.wait_for(|ended| *ended).await;
    }
}

/// Prints one line, whether or not anybody still reads it.
fn say(report: &Report) {
    let _ = writeln!(io::stdout(), "{report}");
}
