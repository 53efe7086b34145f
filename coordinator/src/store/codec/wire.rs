//! From records to rows and back.

use std::collections::BTreeSet;
use std::sync::Arc;

use prost::Message as _;
use unanimous_protocol::message::{Horizon, Kept, ParkReason, Reported, TraceContext};
use unanimous_protocol::{
    Alias, BranchKind, DatabaseId, Decision, Digest, Incarnation, OwnXid, Resource, RollbackReason,
};

use super::Unreadable;
use super::rows::{
    AbortRow, AboutRow, Body, BranchRow, ByHandRow, CommitRow, DecidedRow, HorizonRow,
    IncarnationRow, ParkRow, ProgressRow, RecordRow, RegistrationRow, ReportedRow,
    ResourceHorizonRow, ResourceRow, StartRow, WordsRow, XidRow,
};
use crate::decide::{About, DecidedBranch, HorizonRecord, HorizonScope, Record, Registration};

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let body = body(record);
    RecordRow { body }.encode_to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Record, Unreadable> {
    let row = RecordRow::decode(bytes).map_err(|_| Unreadable)?;
    record(row.body.ok_or(Unreadable)?)
}

pub(super) fn horizon_row(horizon: &HorizonRecord) -> HorizonRow {
    HorizonRow {
        number: horizon.number,
        counter: horizon.horizon.counter,
        listed: horizon.horizon.listed.iter().copied().collect(),
        remembered_from: horizon.remembered_from,
    }
}

/// Everything but the bits, which stand in rows of their own.
pub(super) fn decode_horizon(
    incarnation: Incarnation,
    bytes: &[u8],
) -> Result<HorizonRecord, Unreadable> {
    let row = HorizonRow::decode(bytes).map_err(|_| Unreadable)?;
    Ok(HorizonRecord {
        incarnation,
        number: row.number,
        scope: HorizonScope::Whole,
        horizon: Horizon {
            counter: row.counter,
            listed: BTreeSet::from_iter(row.listed),
        },
        remembered_from: row.remembered_from,
        bits: Vec::new(),
    })
}

pub(super) fn words_row(words: &[u64]) -> WordsRow {
    let words = words.to_vec();
    WordsRow { words }
}

pub(super) fn decode_words(bytes: &[u8]) -> Result<Arc<Vec<u64>>, Unreadable> {
    let row = WordsRow::decode(bytes).map_err(|_| Unreadable)?;
    Ok(Arc::new(row.words))
}

fn body(record: &Record) -> Option<Body> {
    Some(match record {
        Record::Incarnation {
            incarnation,
            restored,
        } => Body::Incarnation(StartRow {
            incarnation: Some(incarnation_row(*incarnation)),
            restored: *restored,
        }),
        Record::Lost(incarnation) => Body::Lost(incarnation_row(*incarnation)),
        Record::Branch {
            xid,
            about,
            registration,
        } => Body::Branch(BranchRow {
            xid: Some(xid_row(*xid)),
            about: Some(about_row(about)),
            registration: Some(registration_row(registration)),
        }),
        Record::Commit {
            xid,
            about,
            branches,
        } => Body::Commit(CommitRow {
            xid: Some(xid_row(*xid)),
            about: Some(about_row(about)),
            branches: branches.iter().map(decided_row).collect(),
        }),
        Record::Abort { xid, about, reason } => Body::Abort(AbortRow {
            xid: Some(xid_row(*xid)),
            about: Some(about_row(about)),
            reason: reason_number(*reason),
        }),
        Record::Ended { xid, alias } => Body::Ended(progress_row(*xid, *alias, None)),
        Record::Parked { xid, alias, reason } => {
            Body::Parked(progress_row(*xid, *alias, reason.as_ref()))
        }
        // Its rows are written by `encode_horizon`.
        Record::Horizon(_) => return None,
        Record::Acked {
            resource,
            incarnation,
            counter,
        } => Body::Acked(resource_horizon_row(resource, *incarnation, *counter)),
        Record::ResourceRestored {
            resource,
            incarnation,
            counter,
        } => Body::ResourceRestored(resource_horizon_row(resource, *incarnation, *counter)),
        Record::WrittenOff(database) => Body::WrittenOff(database.0.to_vec()),
        Record::DecidedByHand { xid, decision } => Body::DecidedByHand(ByHandRow {
            xid: Some(xid_row(*xid)),
            decision: decision_number(*decision),
        }),
    })
}

fn record(body: Body) -> Result<Record, Unreadable> {
    Ok(match body {
        Body::Incarnation(row) => Record::Incarnation {
            incarnation: incarnation(row.incarnation)?,
            restored: row.restored,
        },
        Body::Lost(row) => Record::Lost(incarnation(Some(row))?),
        Body::Branch(row) => Record::Branch {
            xid: xid(row.xid)?,
            about: about(row.about)?,
            registration: registration(row.registration)?,
        },
        Body::Commit(row) => Record::Commit {
            xid: xid(row.xid)?,
            about: about(row.about)?,
            branches: row
                .branches
                .into_iter()
                .map(decided)
                .collect::<Result<_, _>>()?,
        },
        Body::Abort(row) => Record::Abort {
            xid: xid(row.xid)?,
            about: about(row.about)?,
            reason: reason(row.reason)?,
        },
        Body::Ended(row) => Record::Ended {
            xid: xid(row.xid)?,
            alias: Alias(row.alias),
        },
        Body::Parked(row) => Record::Parked {
            xid: xid(row.xid)?,
            alias: Alias(row.alias),
            reason: row.reason.map(park_reason).transpose()?,
        },
        Body::Acked(row) => Record::Acked {
            resource: resource(row.resource)?,
            incarnation: incarnation(row.incarnation)?,
            counter: row.counter,
        },
        Body::ResourceRestored(row) => Record::ResourceRestored {
            resource: resource(row.resource)?,
            incarnation: incarnation(row.incarnation)?,
            counter: row.counter,
        },
        Body::WrittenOff(bytes) => Record::WrittenOff(database(&bytes)?),
        Body::DecidedByHand(row) => Record::DecidedByHand {
            xid: xid(row.xid)?,
            decision: decision(row.decision)?,
        },
    })
}

fn incarnation_row(incarnation: Incarnation) -> IncarnationRow {
    IncarnationRow {
        number: incarnation.number,
        random: incarnation.random,
    }
}

fn incarnation(row: Option<IncarnationRow>) -> Result<Incarnation, Unreadable> {
    let IncarnationRow { number, random } = row.ok_or(Unreadable)?;
    Ok(Incarnation { number, random })
}

fn xid_row(xid: OwnXid) -> XidRow {
    XidRow {
        number: xid.incarnation.number,
        random: xid.incarnation.random,
        counter: xid.counter,
    }
}

fn xid(row: Option<XidRow>) -> Result<OwnXid, Unreadable> {
    let row = row.ok_or(Unreadable)?;
    let (number, random) = (row.number, row.random);
    Ok(OwnXid {
        incarnation: Incarnation { number, random },
        counter: row.counter,
    })
}

fn about_row(about: &About) -> AboutRow {
    AboutRow {
        name: about.name.to_string(),
        application: about.application.to_string(),
    }
}

fn about(row: Option<AboutRow>) -> Result<About, Unreadable> {
    let row = row.ok_or(Unreadable)?;
    Ok(About {
        name: row.name.parse().map_err(|_| Unreadable)?,
        application: row.application.into(),
    })
}

fn resource_row(resource: &Resource) -> ResourceRow {
    ResourceRow {
        participant: resource.participant.to_string(),
        database: resource.database.map(|database| database.0.to_vec()),
    }
}

fn resource(row: Option<ResourceRow>) -> Result<Resource, Unreadable> {
    let row = row.ok_or(Unreadable)?;
    Ok(Resource {
        participant: row.participant.parse().map_err(|_| Unreadable)?,
        database: row.database.as_deref().map(database).transpose()?,
    })
}

fn database(bytes: &[u8]) -> Result<DatabaseId, Unreadable> {
    bytes.try_into().map(DatabaseId).map_err(|_| Unreadable)
}

fn resource_horizon_row(
    resource: &Resource,
    incarnation: Incarnation,
    counter: u64,
) -> ResourceHorizonRow {
    ResourceHorizonRow {
        resource: Some(resource_row(resource)),
        incarnation: Some(incarnation_row(incarnation)),
        counter,
    }
}

fn registration_row(registration: &Registration) -> RegistrationRow {
    RegistrationRow {
        alias: registration.alias.0,
        call: registration.call.to_string(),
        resource: Some(resource_row(&registration.resource)),
        action: registration.action.to_string(),
        kind: match registration.kind {
            BranchKind::Fenced => 1,
            BranchKind::AlwaysCancel => 3,
            // The enum is open to other crates; a kind that is added is added here too.
            _ => 2,
        },
        digest: registration.digest.0.to_vec(),
        arguments: registration.arguments.as_deref().map(str::to_owned),
        trace: registration.trace.as_ref().map(|trace| trace.0.to_string()),
    }
}

fn registration(row: Option<RegistrationRow>) -> Result<Arc<Registration>, Unreadable> {
    let row = row.ok_or(Unreadable)?;
    Ok(Arc::new(Registration {
        alias: Alias(row.alias),
        call: row.call.parse().map_err(|_| Unreadable)?,
        resource: resource(row.resource)?,
        action: row.action.parse().map_err(|_| Unreadable)?,
        kind: match row.kind {
            1 => BranchKind::Fenced,
            2 => BranchKind::Unfenced,
            3 => BranchKind::AlwaysCancel,
            _ => return Err(Unreadable),
        },
        digest: row.digest.try_into().map(Digest).map_err(|_| Unreadable)?,
        arguments: row.arguments.map(Into::into),
        trace: row.trace.map(|trace| TraceContext(trace.into())),
    }))
}

fn decided_row(branch: &DecidedBranch) -> DecidedRow {
    DecidedRow {
        registration: Some(registration_row(&branch.registration)),
        decision: decision_number(branch.decision),
        reported: branch.reported.as_ref().map(reported_row),
    }
}

fn decided(row: DecidedRow) -> Result<DecidedBranch, Unreadable> {
    Ok(DecidedBranch {
        registration: registration(row.registration)?,
        decision: decision(row.decision)?,
        reported: row.reported.map(reported),
    })
}

fn reported_row(reported: &Reported) -> ReportedRow {
    let kept = reported.kept.iter();
    ReportedRow {
        tried: reported.tried.as_deref().map(str::to_owned),
        kept: kept
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
    }
}

fn reported(row: ReportedRow) -> Reported {
    let kept = row.kept.into_iter();
    Reported {
        tried: row.tried.map(Into::into),
        kept: kept
            .map(|(name, value)| (name.into(), value.into()))
            .collect::<Kept>(),
    }
}

fn progress_row(xid: OwnXid, alias: Alias, reason: Option<&ParkReason>) -> ProgressRow {
    ProgressRow {
        xid: Some(xid_row(xid)),
        alias: alias.0,
        reason: reason.map(park_row),
    }
}

fn decision_number(decision: Decision) -> u32 {
    match decision {
        Decision::Commit => 1,
        Decision::Rollback => 2,
    }
}

fn decision(number: u32) -> Result<Decision, Unreadable> {
    match number {
        1 => Ok(Decision::Commit),
        2 => Ok(Decision::Rollback),
        _ => Err(Unreadable),
    }
}

fn reason_number(reason: RollbackReason) -> u32 {
    match reason {
        RollbackReason::BranchesDiffer => 1,
        RollbackReason::Operator => 2,
        RollbackReason::TimedOut => 4,
        RollbackReason::NotRecorded => 5,
        RollbackReason::Stopped => 6,
        // The reason is for people; one without a number is told as asked for.
        _ => 3,
    }
}

fn reason(number: u32) -> Result<RollbackReason, Unreadable> {
    Ok(match number {
        1 => RollbackReason::BranchesDiffer,
        2 => RollbackReason::Operator,
        3 => RollbackReason::Requested,
        4 => RollbackReason::TimedOut,
        5 => RollbackReason::NotRecorded,
        6 => RollbackReason::Stopped,
        _ => return Err(Unreadable),
    })
}

fn park_row(reason: &ParkReason) -> ParkRow {
    let (kind, text) = match reason {
        ParkReason::GaveUp(text) => (1, text.to_string()),
        ParkReason::Missing => (2, String::new()),
        ParkReason::RefusedConfirmed => (3, String::new()),
        ParkReason::RefusedCancelled => (4, String::new()),
        ParkReason::Undecodable(text) => (5, text.to_string()),
        ParkReason::ByOperator(text) => (6, text.to_string()),
        ParkReason::WrittenOff => (7, String::new()),
        // Whatever else parked it: its text says so.
        other => (1, other.to_string()),
    };
    ParkRow { kind, text }
}

fn park_reason(row: ParkRow) -> Result<ParkReason, Unreadable> {
    Ok(match row.kind {
        1 => ParkReason::GaveUp(row.text.into()),
        2 => ParkReason::Missing,
        3 => ParkReason::RefusedConfirmed,
        4 => ParkReason::RefusedCancelled,
        5 => ParkReason::Undecodable(row.text.into()),
        6 => ParkReason::ByOperator(row.text.into()),
        7 => ParkReason::WrittenOff,
        _ => return Err(Unreadable),
    })
}
