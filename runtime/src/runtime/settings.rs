use std::time::Duration;

use unanimous_protocol::limits;

/// Settings of a runtime; every default is a row of `unanimous_protocol::limits`.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Timeout of a transaction whose annotation names none.
    pub(crate) timeout: Duration,
    /// How long a caller waits for a decision at least, once commit was asked.
    pub(crate) decision_wait: Duration,
    /// How long to wait after a commit for the branches to end; zero for not at all.
    pub(crate) settle: Duration,
    /// How long a shutdown waits for what is open.
    pub(crate) drain: Duration,
    /// Whether the fence's tables are created where they are missing.
    pub(crate) create_tables: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: limits::TIMEOUT,
            decision_wait: limits::DECISION_WAIT,
            settle: Duration::ZERO,
            drain: limits::DRAIN,
            create_tables: true,
        }
    }
}
