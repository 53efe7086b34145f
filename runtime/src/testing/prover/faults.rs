//! Every phase fails, and is dropped, at each of its points in turn.

use unanimous_protocol::Decision;

use super::session::{End, Session};
use super::{Checks, Findings, Problem, Reference, Rule, Subject};
use crate::testing::{Fault, Phase, Point};

/// What the beginning function does about a try that failed.
#[derive(Clone, Copy, Debug)]
enum Then {
    RollBack,
    TryAgain,
}

pub(super) async fn run(
    subject: &dyn Subject,
    reference: &Reference,
    findings: &mut Findings,
) -> Result<(), Problem> {
    for point in reference.try_points() {
        for fault in [Fault::Fail, Fault::Stop] {
            for then in [Then::RollBack, Then::TryAgain] {
                phase_one(subject, reference, findings, point, fault, then).await?;
            }
        }
        findings.proof.points.insert((Phase::Try, point));
    }
    for decision in [Decision::Commit, Decision::Rollback] {
        for point in reference.phase_two_points() {
            for fault in [Fault::Fail, Fault::Stop] {
                phase_two(subject, reference, findings, decision, point, fault).await?;
            }
            findings.proof.points.insert((decision.into(), point));
        }
    }
    Ok(())
}

async fn phase_one(
    subject: &dyn Subject,
    reference: &Reference,
    findings: &mut Findings,
    point: Point,
    fault: Fault,
    then: Then,
) -> Result<(), Problem> {
    let session = Session::open(subject).await?;
    let mut checks = Checks::new(reference, findings);
    checks.findings.proof.runs += 1;
    session.plan(Phase::Try, point, fault);
    session.deliver_try().await;
    if !session.all_happened() {
        return Err(Problem::NotReached(Phase::Try, point));
    }
    let again = match then {
        Then::RollBack => None,
        Then::TryAgain => Some(session.deliver_try().await),
    };
    let (decision, rule, after) = match again {
        // It ran again under the same call id, and counts once.
        Some(End::Done) => (Decision::Commit, Rule::Idempotence, &reference.committed),
        // A repeat may refuse: then everything rolls back.
        _ => (Decision::Rollback, rule_of(point), &reference.initial),
    };
    let end = session.deliver_until_ended(decision).await;
    if checks.ended(&session, &end) {
        checks.state(&session, rule, after).await;
    }
    Ok(())
}

async fn phase_two(
    subject: &dyn Subject,
    reference: &Reference,
    findings: &mut Findings,
    decision: Decision,
    point: Point,
    fault: Fault,
) -> Result<(), Problem> {
    let session = Session::open(subject).await?;
    let mut checks = Checks::new(reference, findings);
    checks.findings.proof.runs += 1;
    session.deliver_try().await;
    session.plan(decision.into(), point, fault);
    let end = session.deliver_until_ended(decision).await;
    if !session.all_happened() {
        return Err(Problem::NotReached(decision.into(), point));
    }
    let after = match decision {
        Decision::Commit => &reference.committed,
        Decision::Rollback => &reference.initial,
    };
    if checks.ended(&session, &end) {
        checks.state(&session, Rule::Idempotence, after).await;
    }
    Ok(())
}

/// The rule that a rollback after a try that failed at this point may break.
fn rule_of(point: Point) -> Rule {
    match point {
        Point::BeforeRegister | Point::AfterRegister | Point::BeforeBusiness => Rule::EmptyRollback,
        _ => Rule::Conservation,
    }
}
