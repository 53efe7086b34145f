//! Values whose `Deserialize` does not read what their `Serialize` writes: a prover says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use serde::{Deserialize, Serialize, Serializer};
use unanimous::participant;
use unanimous::testing::{Broken, Problem, Prover};

use crate::participants::Failure;

/// Written as text, read as a number.
#[derive(Clone, Deserialize)]
struct Gold(i64);

impl Serialize for Gold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Default)]
struct Till(AtomicI64);

#[participant(name = "till")]
impl Till {
    #[two_phase_action(commit = confirm, rollback = none)]
    async fn take(&self, coins: Gold) -> Result<(), Failure> {
        self.0.fetch_sub(coins.0, SeqCst);
        Ok(())
    }

    async fn confirm(&self, coins: Gold) -> Result<(), Failure> {
        self.0.fetch_add(coins.0, SeqCst);
        Ok(())
    }

    #[two_phase_action(commit = none, rollback = give_back)]
    async fn lend(&self, loan: Gold) -> Result<(), Failure> {
        self.0.fetch_sub(loan.0, SeqCst);
        Ok(())
    }

    async fn give_back(&self, loan: Gold) -> Result<(), Failure> {
        self.0.fetch_add(loan.0, SeqCst);
        Ok(())
    }

    #[two_phase_action(commit = book, rollback = none)]
    async fn count(&self) -> Result<Gold, Failure> {
        Ok(Gold(self.0.fetch_sub(1, SeqCst)))
    }

    async fn book(&self, #[tried] found: &Gold) -> Result<(), Failure> {
        self.0.fetch_add(found.0, SeqCst);
        Ok(())
    }
}

async fn till() -> Till {
    Till::default()
}

async fn coins(till: &Arc<Till>) -> i64 {
    till.0.load(SeqCst)
}

fn unreadable(broken: &Broken, expected: &str) {
    let [Problem::Unreadable(why)] = &broken.problems[..] else {
        panic!("{broken}");
    };
    assert!(why.contains(expected), "{why}");
    let told = broken.to_string();
    assert!(
        told.contains("`Deserialize` read what its `Serialize` writes"),
        "{told}"
    );
}

#[tokio::test]
async fn a_parameter_that_cannot_be_read_back_is_told_by_its_name() {
    let confirmed = Prover::new(till, async |till| till.take(Gold(5)).await, coins);
    let broken = confirmed.prove().await.expect_err("it cannot be read");
    unreadable(&broken, "the argument `coins` of take");
    let cancelled = Prover::new(till, async |till| till.lend(Gold(5)).await, coins);
    let broken = cancelled.prove().await.expect_err("it cannot be read");
    unreadable(&broken, "the argument `loan` of lend");
}

#[tokio::test]
async fn a_tried_value_that_cannot_be_read_back_is_told() {
    let counted = Prover::new(till, async |till| till.count().await, coins);
    let broken = counted.prove().await.expect_err("it cannot be read");
    unreadable(&broken, "what count returned");
}
