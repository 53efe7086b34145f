//! Every shared bound, with its reason. Durations are defaults of settings; sizes are fixed.

use std::time::Duration;

/// Longest xid, in bytes: room for other coordinators' texts, and half a fence key.
pub const XID_BYTES_MAX: usize = 128;
/// Longest name of a participant, action or transaction, in bytes: fits the columns of peers.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest call id, in bytes: sixteen full components and then some still fit a header.
pub const CALL_ID_BYTES_MAX: usize = 512;
/// Deepest call id: deeper nesting is a loop between services.
pub const CALL_ID_LEVELS_MAX: usize = 16;
/// Longest target within a call id, in bytes; longer ones are cut and hashed.
pub const CALL_TARGET_BYTES_MAX: usize = 48;
/// Most branches of one transaction: its names must fit an answer header and one commit record.
pub const BRANCHES_MAX: usize = 1_000;
/// Most abandoned calls of one transaction, for the same reason.
pub const ABANDONED_CALLS_MAX: usize = 64;
/// Longest answer header, in bytes: common servers accept 8 KiB of headers in all.
pub const ANSWER_HEADER_BYTES_MAX: usize = 6 * 1024;
/// Longest reason of a mark, in bytes: a word for people; the error itself is in the answer's body.
pub const MARK_REASON_BYTES_MAX: usize = 64;
/// Longest recorded arguments of one branch, in bytes: they are stored and sent several times.
pub const ARGUMENTS_BYTES_MAX: usize = 64 * 1024;
/// Longest frame on the coordinator's stream, in bytes: the default bound of gRPC peers.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest trace context, in bytes: a `traceparent` has 55.
pub const TRACE_BYTES_MAX: usize = 256;
/// Longest text for people on the stream (an error, a reason), in bytes: a whole list of them fits a
/// frame. Longer ones are cut, since nothing is decided by them.
pub const TEXT_BYTES_MAX: usize = 1024;
/// Most resources of one attachment, and most actions of one resource: more is a loop that
/// registers.
pub const RESOURCES_MAX: usize = 1_000;
/// Most incarnations of a log that are told to participants, and most of which one remembers a
/// horizon: a coordinator that restarts hourly needs years to get there.
pub const INCARNATIONS_MAX: usize = 65_536;
/// Most transactions that a horizon lists: they wait for an operator.
pub const LISTED_MAX: usize = 262_144;
/// Most transactions of which a coordinator lists rows that their participants gave up, but of which
/// it keeps nothing else: the others are listed once these have ended.
pub const STRANDED_MAX: usize = 10_000;
/// Most transactions in one answer to an operator, so that it fits a frame.
pub const LIST_MAX: usize = 1_000;

/// First wait before a lost stream is opened again.
pub const RECONNECT_MIN: Duration = Duration::from_millis(50);
/// Longest wait before a lost stream is opened again: a restarted coordinator is found soon.
pub const RECONNECT_MAX: Duration = Duration::from_secs(5);
/// How often the silent other end of a stream is asked for a sign of life, and how long that may
/// take: a process that is frozen is detached soon, and its branches go to another instance.
pub const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// First wait before a phase two is repeated.
pub const PHASE_TWO_RETRY_MIN: Duration = Duration::from_millis(100);
/// Longest wait before a phase two is repeated: an attachment makes it due at once anyway.
pub const PHASE_TWO_RETRY_MAX: Duration = Duration::from_secs(30);
/// How long a phase two may be under way before it counts as lost and is delivered again: twice the
/// longest wait between repeats, so that slow user code is not called a second time for nothing.
pub const LOST_AFTER: Duration = Duration::from_mins(1);
/// How often a participant asks about rows in doubt.
pub const IN_DOUBT_INTERVAL: Duration = Duration::from_secs(10);
/// How old a tried row must be before it is asked about: younger ones are still being decided.
pub const IN_DOUBT_AGE: Duration = Duration::from_secs(10);
/// Most rows in one question, so that a question fits a frame.
pub const IN_DOUBT_BATCH_MAX: usize = 1_000;
/// Age at which an ended transaction may fall below the horizon (uptime): longer than any retry of
/// a client that still waits for an answer.
pub const CLEAN_AFTER: Duration = Duration::from_mins(10);
/// How often the horizon is announced.
pub const HORIZON_INTERVAL: Duration = Duration::from_secs(10);
/// Most rows deleted in one local transaction of cleaning: keeps the write lock short.
pub const CLEAN_BATCH_MAX: usize = 1_000;
/// How long outcomes are remembered, one bit each (uptime).
pub const REMEMBER_FOR: Duration = Duration::from_hours(24);
/// Most outcomes remembered: 32 MiB of bits.
pub const REMEMBERED_MAX: u64 = 1 << 28;
/// Full records kept of finished transactions, for people.
pub const FINISHED_KEPT_MAX: usize = 10_000;
/// Requests of one stream that may wait for their answers before no more are read; and messages
/// that may be queued on it, beside the deliveries that its resources may have under way, before a
/// client that reads nothing is cut off.
pub const STREAM_QUEUE_MAX: usize = 1_024;
/// Deliveries under way per resource: one dead participant delays nobody else (G7).
pub const DELIVERIES_MAX: usize = 256;
/// How long a stop waits for open transactions before it rolls them back.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long a caller waits for a decision at least, once commit was asked.
pub const DECISION_WAIT: Duration = Duration::from_secs(5);
/// How long a branch that no attached instance can decode is retried before it parks: a rolling
/// deployment is no operator's work.
pub const UNDECODABLE_AFTER: Duration = Duration::from_mins(10);
/// Default timeout of a global transaction.
pub const TIMEOUT: Duration = Duration::from_mins(1);
/// Longest timeout that is accepted: longer reservations want a saga.
pub const TIMEOUT_MAX: Duration = Duration::from_hours(7 * 24);
/// Lazy records are committed to the store after this long, if no forced batch took them along.
pub const LAZY_COMMIT_AFTER: Duration = Duration::from_millis(100);
/// Lazy records are committed to the store once this many wait.
pub const LAZY_COMMIT_RECORDS: usize = 1_000;
