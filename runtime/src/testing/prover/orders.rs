//! Try, commit and rollback are delivered in every order.

use unanimous_protocol::Decision;

use super::session::{End, Session};
use super::{Checks, Findings, Problem, Reference, Rule, Subjected};

/// The longest order.
const LONGEST: u32 = 4;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Event {
    Try,
    Commit,
    Rollback,
}

const EVENTS: [Event; 3] = [Event::Try, Event::Commit, Event::Rollback];

/// What the branch is, by what was delivered so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Row {
    None,
    Tried,
    Confirmed,
    Cancelled,
}

/// What a delivery must do.
struct Step {
    to: Row,
    /// The rule that is broken if the state is another one.
    rule: Rule,
    /// Whether phase two must end the branch; otherwise it is refused.
    ends: bool,
}

pub(super) async fn run(
    subject: &Subjected<'_>,
    reference: &Reference,
    findings: &mut Findings,
) -> Result<(), Problem> {
    for length in 1..=LONGEST {
        for number in 0..3_u32.pow(length) {
            let order = order(number, length);
            if !reference.all_fenced && !can_occur(&order) {
                continue;
            }
            deliver(subject, reference, findings, &order).await?;
            findings.proof.orders += 1;
        }
    }
    Ok(())
}

/// The number's digits to base three.
fn order(number: u32, length: u32) -> Vec<Event> {
    let digit = |at: u32| number / 3_u32.pow(at) % 3;
    (0..length)
        .map(|at| EVENTS[usize::try_from(digit(at)).unwrap_or_default()])
        .collect()
}

/// Whether a coordinator may send it: one decision, and commit only of what was tried.
fn can_occur(order: &[Event]) -> bool {
    let commits = order.contains(&Event::Commit);
    let tried_first = order.first() == Some(&Event::Try);
    !commits || (tried_first && !order.contains(&Event::Rollback))
}

async fn deliver(
    subject: &Subjected<'_>,
    reference: &Reference,
    findings: &mut Findings,
    order: &[Event],
) -> Result<(), Problem> {
    let session = Session::open(subject).await?;
    let mut checks = Checks::new(reference, findings);
    checks.findings.proof.runs += 1;
    session.join().await?;
    let mut row = Row::None;
    for event in order {
        let step = step(row, *event);
        let end = match event {
            Event::Try => {
                // A late or repeated one may refuse; its state counts.
                session.deliver_try().await?;
                End::Done
            }
            Event::Commit => session.deliver(Decision::Commit).await?,
            Event::Rollback => session.deliver(Decision::Rollback).await?,
        };
        if step.ends && !checks.ended(&session, &end) {
            return Ok(());
        }
        row = step.to;
        let expected = match row {
            Row::None | Row::Cancelled => &reference.initial,
            Row::Tried => &reference.tried,
            Row::Confirmed => &reference.committed,
        };
        if !checks.state(&session, step.rule, expected).await? {
            return Ok(());
        }
    }
    checks.over(&session);
    Ok(())
}

fn step(row: Row, event: Event) -> Step {
    let (to, rule, ends) = match (row, event) {
        (Row::None, Event::Try) => (Row::Tried, Rule::Determinism, true),
        (Row::None, Event::Commit) => (Row::None, Rule::Finality, false),
        (Row::None, Event::Rollback) => (Row::Cancelled, Rule::EmptyRollback, true),
        (Row::Tried, Event::Commit) => (Row::Confirmed, Rule::Determinism, true),
        (Row::Tried, Event::Rollback) => (Row::Cancelled, Rule::Conservation, true),
        (Row::Tried, Event::Try) | (Row::Confirmed, Event::Try | Event::Commit) => {
            (row, Rule::Idempotence, true)
        }
        (Row::Cancelled, Event::Rollback) => (row, Rule::Idempotence, true),
        (Row::Cancelled, Event::Try) => (row, Rule::Suspension, true),
        (Row::Confirmed, Event::Rollback) | (Row::Cancelled, Event::Commit) => {
            (row, Rule::Finality, false)
        }
    };
    Step { to, rule, ends }
}
