//! Keywords as names, and parameters called as our locals are.

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Raw {
    journal: Journal,
}

#[participant(name = "raw")]
impl Raw {
    #[two_phase_action(commit = r#match, rollback = r#loop)]
    async fn r#try(&self, r#type: &str, __branch: u8, tx: u8) -> Result<u8, Failure> {
        self.journal.tried(r#type);
        Ok(__branch + tx)
    }

    async fn r#match(&self, __branch: u8, r#type: String, tx: &u8) -> Result<(), Failure> {
        assert_eq!((__branch, tx), (1, &2));
        self.journal.confirmed(r#type);
        Ok(())
    }

    async fn r#loop(&self, r#type: &str) -> Result<(), Failure> {
        self.journal.cancelled(r#type);
        Ok(())
    }
}

#[global_transactional]
async fn r#try(raw: &Raw) -> Result<u8, Failure> {
    raw.r#try("text", 1, 2).await
}

pub(crate) async fn run() {
    let (world, raw) = World::with_one(|journal| Raw {
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(r#try(&raw)).await, 3);
}
