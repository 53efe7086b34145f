//! Every phase is delivered twice.

use unanimous_protocol::Decision;

use super::session::Session;
use super::{Checks, Findings, Problem, Reference, Rule, Subjected};

pub(super) async fn run(
    subject: &Subjected<'_>,
    reference: &Reference,
    findings: &mut Findings,
) -> Result<(), Problem> {
    for decision in [Decision::Commit, Decision::Rollback] {
        let after = match decision {
            Decision::Commit => &reference.committed,
            Decision::Rollback => &reference.initial,
        };
        // Phase two alone twice, so that a doubled try does not hide what it does.
        for tries in [1, 2] {
            let session = Session::open(subject).await?;
            let mut checks = Checks::new(reference, findings);
            checks.findings.proof.runs += 1;
            for _ in 0..tries {
                // A second one may refuse: its caller then rolls back.
                session.deliver_try().await?;
            }
            let rule = if tries == 1 {
                Rule::Determinism
            } else {
                Rule::Idempotence
            };
            if !checks.state(&session, rule, &reference.tried).await? {
                continue;
            }
            for rule in [first(decision), Rule::Idempotence] {
                let end = session.deliver(decision).await?;
                if !checks.ended(&session, &end) || !checks.state(&session, rule, after).await? {
                    break;
                }
            }
            checks.over(&session);
        }
    }
    Ok(())
}

/// The rule that the first delivery may break.
fn first(decision: Decision) -> Rule {
    match decision {
        Decision::Commit => Rule::Determinism,
        Decision::Rollback => Rule::Conservation,
    }
}
