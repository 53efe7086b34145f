//! The provers pass what is right, and find every flaw by the name of its rule.

use std::sync::Arc;

use unanimous::testing::{Broken, Phase, Point, Problem, Proof, Prover, Rule};

use crate::participants::{Accounts, Counter, Failure, Flaw, Moody, Purse};

fn fenced() -> Prover<'static> {
    Prover::new(
        Accounts::new,
        async |accounts| accounts.debit(30).await,
        async |accounts| accounts.sums().await,
    )
}

fn purse(flaw: Flaw) -> Prover<'static> {
    Prover::new(
        async move || Purse::with(flaw),
        async |purse| purse.take(30).await,
        async |purse| purse.gold(),
    )
}

async fn breaks(flaw: Flaw) -> Broken {
    purse(flaw).prove().await.expect_err("the flaw is found")
}

#[tokio::test]
async fn a_fenced_participant_is_proved_in_every_order() {
    let Proof { points, orders, .. } = fenced().assert_proved().await;
    assert_eq!(orders, 3 + 9 + 27 + 81);
    assert_eq!(points.len(), 8 + 7 + 7);
    assert!(points.contains(&(Phase::Try, Point::AfterLocalCommit)));
}

#[tokio::test]
async fn a_participant_that_guards_itself_is_proved_in_every_order_that_can_occur() {
    let Proof { points, orders, .. } = purse(Flaw::None).assert_proved().await;
    assert_eq!(orders, 30 + 11);
    assert_eq!(points.len(), 7 + 4 + 4);
    assert!(points.contains(&(Phase::Try, Point::AfterReport)));
}

#[tokio::test]
async fn each_flaw_is_found_by_the_rule_that_it_breaks() {
    for (flaw, rule) in [
        (Flaw::ConfirmsTwice, Rule::Idempotence),
        (Flaw::TriesTwice, Rule::Idempotence),
        (Flaw::CancelsEmpty, Rule::EmptyRollback),
        (Flaw::TriesLate, Rule::Suspension),
        (Flaw::CancelsTooLittle, Rule::Conservation),
        (Flaw::CancelFails, Rule::Completion),
    ] {
        let broken = breaks(flaw).await;
        assert!(broken.rules().contains(&rule), "{flaw:?}: {broken}");
    }
}

#[tokio::test]
async fn each_prover_finds_a_flaw_by_itself() {
    let doubled = purse(Flaw::ConfirmsTwice);
    for broken in [
        doubled.twice().await,
        doubled.faults().await,
        doubled.orders().await,
    ] {
        let broken = broken.expect_err("each finds it");
        assert!(broken.rules().contains(&Rule::Idempotence), "{broken}");
    }
}

/// What a drop alone brings to light passes the other two, and so does what an order alone does.
#[tokio::test]
async fn what_only_one_prover_can_see_passes_the_others() {
    let counter = Prover::new(
        Counter::new,
        async |counter| counter.sell(2).await,
        async |counter| counter.shown(),
    );
    counter
        .twice()
        .await
        .expect("a repeat is answered by the fence");
    counter
        .orders()
        .await
        .expect("each order is right for a fence");
    let broken = counter.faults().await.expect_err("a drop is found");
    assert!(broken.rules().contains(&Rule::Conservation), "{broken}");
    assert!(
        broken.to_string().contains("after the method ran"),
        "{broken}"
    );
    assert!(broken.to_string().contains("through `tx`"), "{broken}");

    let late = purse(Flaw::TriesLate);
    late.twice().await.expect("nothing comes late");
    late.faults().await.expect("nothing comes late");
    let broken = late.orders().await.expect_err("an order is found");
    assert_eq!(broken.rules(), [Rule::Suspension].into());
    assert!(
        broken.to_string().contains("delivered: rollback, try"),
        "{broken}"
    );
}

#[tokio::test]
async fn each_prover_tells_a_point_that_was_never_reached() {
    for part in 0..3 {
        let times = Arc::default();
        let moody = Prover::new(
            async || Moody::counting(&times),
            async |moody| moody.act().await,
            async |moody| moody.done(),
        );
        let broken = match part {
            0 => moody.twice().await,
            1 => moody.faults().await,
            _ => moody.orders().await,
        };
        let broken = broken.expect_err("nothing is proved about the report");
        let [Problem::NotReached(Phase::Try, Point::BeforeReport)] = &broken.problems[..] else {
            panic!("{broken}")
        };
        let told = "nothing was proved about the try before its value is reported";
        assert!(broken.to_string().contains(told), "{broken}");
    }
}

#[tokio::test]
async fn a_breach_says_the_rule_the_deliveries_both_states_and_the_way_out() {
    let broken = breaks(Flaw::ConfirmsTwice).await;
    let text = broken.to_string();
    let first = text.lines().take(5).collect::<Vec<_>>().join("\n");
    let expected = "\
purse.take breaks idempotence: a phase that is delivered again changes nothing
  delivered: try, commit, commit
  expected:  (70, 1)
  found:     (40, 1)
  way out:   put the action behind a `fence = ..`: a row in the same local transaction answers the second delivery; without one, keep `BranchContext`'s `key()` together with the effect, and look for it first";
    assert_eq!(first, expected);
}

#[tokio::test]
async fn a_flaw_inside_a_fence_has_another_way_out() {
    let around = Prover::new(
        Accounts::new,
        async |accounts| {
            // Around the fence: it stays when the local transaction is rolled back.
            let sql = "UPDATE account SET spent = spent + 1";
            unanimous::sqlx::query(sql).execute(&accounts.db).await?;
            accounts.debit(30).await
        },
        async |accounts| accounts.sums().await,
    );
    let broken = around.prove().await.expect_err("it is found");
    assert!(broken.rules().contains(&Rule::Conservation), "{broken}");
    assert!(broken.to_string().contains("through `tx`"), "{broken}");
}

#[tokio::test]
async fn a_proof_that_sees_nothing_is_refused() {
    let blind = Prover::new(
        Accounts::new,
        async |accounts| accounts.debit(30).await,
        async |_| (),
    );
    let broken = blind.prove().await.expect_err("it sees nothing");
    assert!(
        matches!(broken.problems[..], [Problem::Blind(_)]),
        "{broken}"
    );

    let idle = Prover::new(
        Accounts::new,
        async |_| Ok::<(), Failure>(()),
        async |accounts| accounts.sums().await,
    );
    let broken = idle.prove().await.expect_err("nothing joins");
    assert!(
        matches!(broken.problems[..], [Problem::NoBranch]),
        "{broken}"
    );

    let poor = Prover::new(
        Accounts::new,
        async |accounts| accounts.debit(300).await,
        async |accounts| accounts.sums().await,
    );
    let broken = poor.prove().await.expect_err("the try fails");
    assert!(matches!(broken.problems[..], [Problem::Try(_)]), "{broken}");
}

#[tokio::test]
async fn a_world_that_differs_by_chance_is_told() {
    let made = std::sync::atomic::AtomicUsize::new(0);
    let moody = Prover::new(
        async || {
            made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Accounts::new().await
        },
        async |accounts| accounts.debit(30).await,
        async |accounts| {
            (
                made.load(std::sync::atomic::Ordering::SeqCst),
                accounts.sums().await,
            )
        },
    );
    let broken = moody.twice().await.expect_err("no two worlds are alike");
    assert!(broken.rules().contains(&Rule::Determinism), "{broken}");
}

#[tokio::test]
async fn several_participants_are_proved_together() {
    let both = Prover::of(
        async |builder| {
            let accounts = Arc::new(Accounts::new().await);
            let purse = Arc::new(Purse::with(Flaw::None));
            let builder = builder
                .participant(accounts.clone())
                .participant(purse.clone());
            (builder, (accounts, purse))
        },
        async |(accounts, purse)| {
            accounts.debit(30).await?;
            purse.take(5).await
        },
        async |(accounts, purse)| (accounts.sums().await, purse.gold()),
    );
    let proof = both.faults().await.expect("both are right");
    assert!(proof.runs > 0);
}
