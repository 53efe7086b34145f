//! The prost messages of the log. Fields are only ever added, numbers never reused.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(super) struct RecordRow {
    #[prost(oneof = "Body", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11")]
    pub(super) body: Option<Body>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Body {
    #[prost(message, tag = "1")]
    Incarnation(StartRow),
    #[prost(message, tag = "2")]
    Lost(IncarnationRow),
    #[prost(message, tag = "3")]
    Branch(BranchRow),
    #[prost(message, tag = "4")]
    Commit(CommitRow),
    #[prost(message, tag = "5")]
    Abort(AbortRow),
    #[prost(message, tag = "6")]
    Ended(ProgressRow),
    #[prost(message, tag = "7")]
    Parked(ProgressRow),
    #[prost(message, tag = "8")]
    Acked(ResourceHorizonRow),
    #[prost(message, tag = "9")]
    ResourceRestored(ResourceHorizonRow),
    #[prost(bytes = "vec", tag = "10")]
    WrittenOff(Vec<u8>),
    #[prost(message, tag = "11")]
    DecidedByHand(ByHandRow),
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct IncarnationRow {
    #[prost(uint64, tag = "1")]
    pub(super) number: u64,
    #[prost(fixed64, tag = "2")]
    pub(super) random: u64,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct StartRow {
    #[prost(message, optional, tag = "1")]
    pub(super) incarnation: Option<IncarnationRow>,
    #[prost(bool, tag = "2")]
    pub(super) restored: bool,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct XidRow {
    #[prost(uint64, tag = "1")]
    pub(super) number: u64,
    #[prost(fixed64, tag = "2")]
    pub(super) random: u64,
    #[prost(uint64, tag = "3")]
    pub(super) counter: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AboutRow {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) application: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ResourceRow {
    #[prost(string, tag = "1")]
    pub(super) participant: String,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) database: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RegistrationRow {
    #[prost(uint32, tag = "1")]
    pub(super) alias: u32,
    #[prost(string, tag = "2")]
    pub(super) call: String,
    #[prost(message, optional, tag = "3")]
    pub(super) resource: Option<ResourceRow>,
    #[prost(string, tag = "4")]
    pub(super) action: String,
    /// 1 fenced, 2 unfenced.
    #[prost(uint32, tag = "5")]
    pub(super) kind: u32,
    #[prost(bytes = "vec", tag = "6")]
    pub(super) digest: Vec<u8>,
    #[prost(string, optional, tag = "7")]
    pub(super) arguments: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(super) trace: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BranchRow {
    #[prost(message, optional, tag = "1")]
    pub(super) xid: Option<XidRow>,
    #[prost(message, optional, tag = "2")]
    pub(super) about: Option<AboutRow>,
    #[prost(message, optional, tag = "3")]
    pub(super) registration: Option<RegistrationRow>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CommitRow {
    #[prost(message, optional, tag = "1")]
    pub(super) xid: Option<XidRow>,
    #[prost(message, optional, tag = "2")]
    pub(super) about: Option<AboutRow>,
    #[prost(message, repeated, tag = "3")]
    pub(super) branches: Vec<DecidedRow>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DecidedRow {
    #[prost(message, optional, tag = "1")]
    pub(super) registration: Option<RegistrationRow>,
    /// 1 commit, 2 rollback.
    #[prost(uint32, tag = "2")]
    pub(super) decision: u32,
    #[prost(message, optional, tag = "3")]
    pub(super) reported: Option<ReportedRow>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReportedRow {
    #[prost(string, optional, tag = "1")]
    pub(super) tried: Option<String>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) kept: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AbortRow {
    #[prost(message, optional, tag = "1")]
    pub(super) xid: Option<XidRow>,
    #[prost(message, optional, tag = "2")]
    pub(super) about: Option<AboutRow>,
    #[prost(uint32, tag = "3")]
    pub(super) reason: u32,
}

/// A branch that ended, or is parked: for a reason, or no longer.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ProgressRow {
    #[prost(message, optional, tag = "1")]
    pub(super) xid: Option<XidRow>,
    #[prost(uint32, tag = "2")]
    pub(super) alias: u32,
    #[prost(message, optional, tag = "3")]
    pub(super) reason: Option<ParkRow>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ParkRow {
    #[prost(uint32, tag = "1")]
    pub(super) kind: u32,
    #[prost(string, tag = "2")]
    pub(super) text: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ResourceHorizonRow {
    #[prost(message, optional, tag = "1")]
    pub(super) resource: Option<ResourceRow>,
    #[prost(message, optional, tag = "2")]
    pub(super) incarnation: Option<IncarnationRow>,
    #[prost(uint64, tag = "3")]
    pub(super) counter: u64,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct ByHandRow {
    #[prost(message, optional, tag = "1")]
    pub(super) xid: Option<XidRow>,
    /// 1 commit, 2 rollback.
    #[prost(uint32, tag = "2")]
    pub(super) decision: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HorizonRow {
    #[prost(uint64, tag = "1")]
    pub(super) number: u64,
    #[prost(uint64, tag = "2")]
    pub(super) counter: u64,
    #[prost(uint64, repeated, tag = "3")]
    pub(super) listed: Vec<u64>,
    #[prost(uint64, tag = "4")]
    pub(super) remembered_from: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WordsRow {
    #[prost(fixed64, repeated, tag = "1")]
    pub(super) words: Vec<u64>,
}
