//! Collects what every scenario logs, and looks for values that must never reach a log.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Part of every value that scenarios record or answer.
pub(crate) const CANARY: &str = "canary-b7d1";

/// What a scenario logs itself, to see that the collector finds it.
pub(crate) const CONTROL: &str = "control-b7d1";

static STARTED: Once = Once::new();
static SEEN: Mutex<Option<Arc<Mutex<Seen>>>> = Mutex::new(None);

/// What was seen since the start of the process.
#[derive(Default)]
struct Seen {
    /// How many lines each crate wrote.
    lines: BTreeMap<String, usize>,
    /// Warnings and errors of our own crates.
    warnings: Vec<String>,
    /// Lines with a canary.
    leaks: Vec<String>,
    /// How many lines have the control.
    controls: usize,
    watches: usize,
    /// Lines of our own while somebody watches, traces apart.
    watched: String,
}

/// Collects from now on, for the whole process.
pub(crate) fn start() {
    STARTED.call_once(|| {
        let seen = Arc::<Mutex<Seen>>::default();
        *lock(&SEEN) = Some(Arc::clone(&seen));
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
            .with_writer(Collector(seen))
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else collects");
    });
}

/// No value that was recorded has reached a log.
pub(crate) fn assert_no_leak() {
    let leaks = with(|seen| seen.leaks.clone());
    assert!(
        leaks.is_empty(),
        "a recorded value reached a log: {leaks:#?}"
    );
}

/// How many lines the crate has logged.
pub(crate) fn lines_of(krate: &str) -> usize {
    with(|seen| seen.lines.get(krate).copied().unwrap_or_default())
}

/// How many lines hold the control.
pub(crate) fn controls() -> usize {
    with(|seen| seen.controls)
}

/// Warnings and errors of our own that contain all of these texts.
pub(crate) fn warnings(texts: &[&str]) -> Vec<String> {
    let fits = |line: &&String| texts.iter().all(|text| line.contains(text));
    with(|seen| seen.warnings.iter().filter(fits).cloned().collect())
}

fn with<T>(read: impl FnOnce(&mut Seen) -> T) -> T {
    let seen = lock(&SEEN).clone().expect("`start` was called");
    read(&mut lock(&seen))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Collector(Arc<Mutex<Seen>>);

impl<'a> MakeWriter<'a> for Collector {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            collector: self,
            level: Level::TRACE,
            target: String::new(),
        }
    }

    fn make_writer_for(&'a self, metadata: &tracing::Metadata<'_>) -> Line<'a> {
        Line {
            collector: self,
            level: *metadata.level(),
            target: metadata.target().to_owned(),
        }
    }
}

/// Takes one line: the subscriber writes each event at once.
struct Line<'a> {
    collector: &'a Collector,
    level: Level,
    target: String,
}

impl io::Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let krate = self.target.split("::").next().unwrap_or_default();
        let mut seen = lock(&self.collector.0);
        *seen.lines.entry(krate.to_owned()).or_default() += 1;
        if self.level <= Level::WARN && krate.starts_with("unanimous") {
            seen.warnings.push(line.to_string());
        }
        if seen.watches > 0 && self.level <= Level::DEBUG && krate.starts_with("unanimous") {
            seen.watched.push_str(&line);
        }
        seen.controls += usize::from(line.contains(CONTROL));
        if line.contains(CANARY) {
            seen.leaks.push(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what our own crates log, in all scenarios, until it is dropped.
///
/// There is one subscriber for the whole process: a span that one subscriber made and another one
/// closes, on a thread of a database say, makes that thread panic.
pub(crate) struct Watch {
    from: usize,
}

impl Watch {
    pub(crate) fn start() -> Self {
        start();
        with(|seen| {
            seen.watches += 1;
            let from = seen.watched.len();
            Self { from }
        })
    }

    pub(crate) fn text(&self) -> String {
        with(|seen| seen.watched[self.from..].to_owned())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        with(|seen| {
            seen.watches -= 1;
            if seen.watches == 0 {
                seen.watched.clear();
            }
        });
    }
}
