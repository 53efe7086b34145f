//! Every phase fails, and is dropped, at each of its points in turn, each time that it comes there.

use std::collections::BTreeMap;

use unanimous_protocol::Decision;

use super::session::{End, Place, Session};
use super::{Checks, Findings, Problem, Reference, Rule, Subjected};
use crate::testing::{Fault, Phase, Point};

/// How many times of one point are taken: the first ones, and as many last ones.
const TAKEN: usize = 4;

/// How often each point is reached where nothing happens there.
type Counts = BTreeMap<(Phase, Point), usize>;

/// What the beginning function does about a try that failed.
#[derive(Clone, Copy, Debug)]
enum Then {
    RollBack,
    TryAgain,
}

pub(super) async fn run(
    subject: &Subjected<'_>,
    reference: &Reference,
    findings: &mut Findings,
) -> Result<(), Problem> {
    let counts = count(subject, findings).await?;
    for point in reference.try_points() {
        for place in places(&counts, findings, Phase::Try, point)? {
            for fault in [Fault::Fail, Fault::Stop] {
                for then in [Then::RollBack, Then::TryAgain] {
                    phase_one(subject, reference, findings, place, fault, then).await?;
                }
            }
        }
    }
    for decision in [Decision::Commit, Decision::Rollback] {
        for point in reference.phase_two_points() {
            for place in places(&counts, findings, decision.into(), point)? {
                for fault in [Fault::Fail, Fault::Stop] {
                    phase_two(subject, reference, findings, (decision, place), fault).await?;
                }
            }
        }
    }
    Ok(())
}

/// Delivers each phase twice, undisturbed.
async fn count(subject: &Subjected<'_>, findings: &mut Findings) -> Result<Counts, Problem> {
    let session = Session::open(subject).await?;
    findings.proof.runs += 1;
    session.deliver_try().await?;
    session.deliver_try().await?;
    let mut counts = session.count();
    for decision in [Decision::Commit, Decision::Rollback] {
        let session = Session::open(subject).await?;
        findings.proof.runs += 1;
        session.deliver_try().await?;
        session.count();
        session.deliver(decision).await?;
        session.deliver(decision).await?;
        counts.extend(session.count());
    }
    Ok(counts)
}

/// The times at which a fault is put at this point, which the proof then tells of.
fn places(
    counts: &Counts,
    findings: &mut Findings,
    phase: Phase,
    point: Point,
) -> Result<Vec<Place>, Problem> {
    let Some(&count) = counts.get(&(phase, point)) else {
        return Err(Problem::NotReached(phase, point));
    };
    let taken: Vec<_> = (1..=count)
        .filter(|time| *time <= TAKEN || *time + TAKEN > count)
        .map(|time| Place { phase, point, time })
        .collect();
    let proof = &mut findings.proof;
    proof.points.insert((phase, point));
    proof.places += taken.len();
    proof.left_out += count - taken.len();
    Ok(taken)
}

async fn phase_one(
    subject: &Subjected<'_>,
    reference: &Reference,
    findings: &mut Findings,
    place: Place,
    fault: Fault,
    then: Then,
) -> Result<(), Problem> {
    let session = Session::open(subject).await?;
    let mut checks = Checks::new(reference, findings);
    checks.findings.proof.runs += 1;
    session.plan(place, fault);
    session.deliver_try().await?;
    if !session.all_happened() {
        // It happens to the repeat.
        session.deliver_try().await?;
    }
    expect_happened(&session, place)?;
    let before = session.reached();
    let again = match then {
        Then::RollBack => None,
        Then::TryAgain => Some(session.deliver_try().await?),
    };
    let (decision, rule, after) = match again {
        // It ran again under the same call id, and counts once.
        Some(End::Done) => (Decision::Commit, Rule::Idempotence, &reference.committed),
        // A repeat may refuse: then everything rolls back.
        _ if before.contains(&(Phase::Try, Point::AfterBusiness)) => {
            (Decision::Rollback, Rule::Conservation, &reference.initial)
        }
        _ => (Decision::Rollback, Rule::EmptyRollback, &reference.initial),
    };
    let end = session.deliver_until_ended(decision).await?;
    if checks.ended(&session, &end) {
        checks.state(&session, rule, after).await?;
    }
    Ok(())
}

async fn phase_two(
    subject: &Subjected<'_>,
    reference: &Reference,
    findings: &mut Findings,
    (decision, place): (Decision, Place),
    fault: Fault,
) -> Result<(), Problem> {
    let session = Session::open(subject).await?;
    let mut checks = Checks::new(reference, findings);
    checks.findings.proof.runs += 1;
    session.deliver_try().await?;
    session.plan(place, fault);
    let mut end = session.deliver_until_ended(decision).await?;
    if !session.all_happened() {
        // It happens to the next delivery.
        end = session.deliver_until_ended(decision).await?;
    }
    expect_happened(&session, place)?;
    let after = match decision {
        Decision::Commit => &reference.committed,
        Decision::Rollback => &reference.initial,
    };
    if checks.ended(&session, &end) {
        checks.state(&session, Rule::Idempotence, after).await?;
    }
    Ok(())
}

/// What was counted in one world comes in every other one too.
fn expect_happened(session: &Session<'_>, place: Place) -> Result<(), Problem> {
    if session.all_happened() {
        return Ok(());
    }
    let Place { phase, point, time } = place;
    Err(Problem::Uneven { phase, point, time })
}
