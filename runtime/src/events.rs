//! What an operator wants to hear of at once: `builder.on_event(..)`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use unanimous_protocol::message::{AttachRefused, ParkReason};
use unanimous_protocol::{ActionName, CallId, Resource, UnknownWhy, Xid};

/// Something that wants a person's attention. The same thing may be told more than once. Shown
/// with `{}` it says in a line what happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Phase two of a branch stopped; it waits for an operator's retry, give-up or resolve.
    Parked {
        /// The transaction.
        xid: Xid,
        /// The branch.
        call: CallId,
        /// Whose it is.
        resource: Resource,
        /// The action to end.
        action: ActionName,
        /// Why it is parked.
        reason: ParkReason,
    },
    /// A caller was told that the outcome of its transaction is unknown.
    Unknown {
        /// The transaction.
        xid: Xid,
        /// Why.
        why: UnknownWhy,
    },
    /// The coordinator refuses to attach this process's participants: no phase two arrives here.
    Refused {
        /// Why.
        why: AttachRefused,
    },
    /// The coordinator does not know the transaction of a tried branch: the branch is kept as it
    /// is until an operator decides it by hand.
    Foreign {
        /// The transaction.
        xid: Xid,
        /// The branch.
        call: CallId,
        /// Whose it is.
        resource: Resource,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parked {
                xid,
                call,
                resource,
                action,
                reason,
            } => write!(
                f,
                "phase two of {action} of {resource} is parked: {reason}; see `unanimous show {xid}`, then `retry` or `resolve` its branch {call}"
            ),
            Self::Unknown { xid, why } => {
                write!(f, "the outcome of the transaction {xid} is unknown: {why}")
            }
            Self::Refused { why } => {
                write!(
                    f,
                    "the coordinator refuses this process's participants: {why}"
                )
            }
            Self::Foreign {
                xid,
                call,
                resource,
            } => write!(
                f,
                "the coordinator does not know the transaction {xid}, of which {resource} keeps the branch {call}: `unanimous decide` decides it by hand"
            ),
        }
    }
}

/// Receives events. Called where they happen, so it must neither block nor wait; a panic in it is
/// logged and changes nothing.
pub(crate) type EventHandler = Arc<dyn Fn(&Event) + Send + Sync>;

/// The handler, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Events(Option<EventHandler>);

impl Events {
    pub(crate) fn new(handler: Option<EventHandler>) -> Self {
        Self(handler)
    }

    pub(crate) fn emit(&self, event: &Event) {
        let Some(handler) = &self.0 else { return };
        if catch_unwind(AssertUnwindSafe(|| handler(event))).is_err() {
            tracing::error!(?event, "the handler of events panicked");
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_handler_hears_events_and_may_panic() {
        let heard = Arc::new(Mutex::new(0));
        let count = Arc::clone(&heard);
        let events = Events::new(Some(Arc::new(move |event| {
            *count.lock().unwrap() += 1;
            assert!(!matches!(event, Event::Refused { .. }), "told to panic");
        })));
        let xid: Xid = "u1.1.0000000000000000.1".parse().unwrap();
        events.emit(&Event::Unknown {
            xid: xid.clone(),
            why: UnknownWhy::NoAnswer,
        });
        assert_eq!(*heard.lock().unwrap(), 1);
        events.emit(&Event::Refused {
            why: AttachRefused::Stopping,
        });
        assert_eq!(*heard.lock().unwrap(), 2);
        let event = Event::Unknown {
            xid: xid.clone(),
            why: UnknownWhy::NoAnswer,
        };
        assert_eq!(
            event.to_string(),
            "the outcome of the transaction u1.1.0000000000000000.1 is unknown: the coordinator did not answer in time"
        );
        Events::default().emit(&Event::Unknown {
            xid,
            why: UnknownWhy::NoAnswer,
        });
    }
}
