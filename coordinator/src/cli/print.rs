//! What the commands print.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, BranchDetail, TransactionDetail, TransactionSummary,
};
use unanimous_protocol::{BranchKind, BranchState, Decision, GlobalState};

/// For people.
pub(crate) fn text(answer: &AdminAnswer, decided: &str) -> String {
    match answer {
        AdminAnswer::Transactions(all) if all.is_empty() => "nothing is under way\n".to_owned(),
        AdminAnswer::Transactions(all) => list(all),
        AdminAnswer::Transaction(detail) => show(detail),
        AdminAnswer::Settled(settled) => format!("settled: {settled}\n"),
        AdminAnswer::Done(1) => format!("{decided} 1 branch\n"),
        AdminAnswer::Done(branches) => format!("{decided} {branches} branches\n"),
        AdminAnswer::Refused(refusal) => format!("refused: {refusal}\n"),
    }
}

fn list(all: &[TransactionSummary]) -> String {
    let head = [
        "XID",
        "NAME",
        "STATE",
        "AGE",
        "BRANCHES",
        "WAITING",
        "PARKED",
        "WHY IT WAITS",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(all.iter().map(|one| {
        [
            one.xid.to_string(),
            one.name.to_string(),
            state(one).to_owned(),
            age(one.age),
            one.branches.to_string(),
            one.waiting.to_string(),
            one.parked.to_string(),
            one.why.clone().unwrap_or_default(),
        ]
    }));
    table(&rows)
}

fn show(detail: &TransactionDetail) -> String {
    let one = &detail.summary;
    let mut text = format!("{}  {}\n  begun by {}", one.xid, one.name, one.application);
    // Writing to a string cannot fail.
    let _ = writeln!(text, ", {} ago\n  {}", age(one.age), state(one));
    if let Some(reason) = one.reason {
        let _ = writeln!(text, "  because {reason}");
    }
    for branch in &detail.branches {
        text.push_str(&shown_branch(branch));
    }
    text
}

fn shown_branch(branch: &BranchDetail) -> String {
    let mut text = format!("\n  branch {}  {}\n", branch.alias, branch.call);
    let mut line = |label: &str, value: &dyn std::fmt::Display| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    {label:<9} {value}");
    };
    line("resource", &branch.resource);
    line("action", &branch.action);
    line("kind", &kind(branch.kind));
    line("state", &branch_state(branch.state));
    if let Some(decision) = branch.decision {
        line("decision", &decision);
    }
    if branch.attempts > 0 {
        line("attempts", &branch.attempts);
    }
    if let Some(error) = &branch.last_error {
        line("error", error);
    }
    if let Some(parked) = &branch.parked {
        line("parked", parked);
    }
    if let Some(why) = &branch.why {
        line("waits", why);
    }
    text
}

/// Columns as wide as their widest cell.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// For programs: one document.
pub(crate) fn json(answer: &AdminAnswer) -> String {
    let value = match answer {
        AdminAnswer::Transactions(all) => {
            json!({ "transactions": all.iter().map(summary).collect::<Vec<_>>() })
        }
        AdminAnswer::Transaction(detail) => {
            let mut value = summary(&detail.summary);
            value["branches"] = detail.branches.iter().map(branch).collect();
            json!({ "transaction": value })
        }
        AdminAnswer::Settled(settled) => json!({ "settled": settled }),
        AdminAnswer::Done(branches) => json!({ "done": { "branches": branches } }),
        AdminAnswer::Refused(refusal) => {
            json!({ "refused": { "kind": refusal_kind(refusal), "why": refusal.to_string() } })
        }
    };
    format!("{value:#}\n")
}

fn summary(one: &TransactionSummary) -> Value {
    json!({
        "xid": one.xid.as_str(),
        "name": one.name.as_str(),
        "application": one.application,
        "state": state(one),
        "reason": one.reason.map(|reason| reason.to_string()),
        "age_ms": u64::try_from(one.age.as_millis()).unwrap_or(u64::MAX),
        "branch_count": one.branches,
        "waiting": one.waiting,
        "parked": one.parked,
        "why": one.why,
    })
}

fn branch(branch: &BranchDetail) -> Value {
    json!({
        "alias": branch.alias.0,
        "call": branch.call.as_str(),
        "participant": branch.resource.participant.as_str(),
        "database": branch.resource.database.map(|database| database.to_string()),
        "action": branch.action.as_str(),
        "kind": kind(branch.kind),
        "state": branch_state(branch.state),
        "decision": branch.decision.as_ref().map(Decision::to_string),
        "attempts": branch.attempts,
        "last_error": branch.last_error.as_deref(),
        "parked": branch.parked.as_ref().map(ToString::to_string),
        "why": branch.why,
    })
}

fn state(one: &TransactionSummary) -> &'static str {
    match one.state {
        GlobalState::Open => "open",
        GlobalState::Deciding => "deciding",
        GlobalState::Committed => "committed",
        GlobalState::RolledBack => "rolled-back",
        GlobalState::Finished => "finished",
        GlobalState::Forgotten => "forgotten",
    }
}

fn branch_state(state: BranchState) -> &'static str {
    match state {
        BranchState::Joining => "joining",
        BranchState::Joined => "joined",
        BranchState::Parked => "parked",
        BranchState::Ended => "ended",
    }
}

fn kind(kind: BranchKind) -> &'static str {
    match kind {
        BranchKind::Fenced => "fenced",
        BranchKind::Unfenced => "unfenced",
        BranchKind::AlwaysCancel => "fenced, always cancelled",
        _ => "unknown to this version",
    }
}

fn refusal_kind(refusal: &AdminRefusal) -> &'static str {
    match refusal {
        AdminRefusal::NoSuchTransaction => "no-such-transaction",
        AdminRefusal::NoSuchBranch => "no-such-branch",
        AdminRefusal::WrongState { .. } => "wrong-state",
        AdminRefusal::BranchEnded => "branch-ended",
        AdminRefusal::NotForeign => "not-foreign",
        AdminRefusal::NeverIssued => "never-issued",
        _ => "unknown-to-this-version",
    }
}

/// `3m 20s`: two units are enough for people.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0 => format!("{}ms", age.subsec_millis()),
        1..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}
