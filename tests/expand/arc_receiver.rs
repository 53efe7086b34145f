//! `self: Arc<Self>` in actions and partners: the body may move it.

use std::sync::Arc;

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

struct Fenced {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "fenced", fence = self.db)]
impl Fenced {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn act(self: Arc<Self>, _tx: &mut FenceTx<Sqlite>, word: &str) -> Result<(), Failure> {
        let moved = self;
        moved.journal.tried(word);
        Ok(())
    }

    async fn confirm(self: Arc<Self>, tx: &mut FenceTx<Sqlite>, word: &str) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        self.journal.confirmed(word);
        Ok(())
    }

    async fn cancel(self: Arc<Self>, word: String) -> Result<(), Failure> {
        self.journal.cancelled(word);
        Ok(())
    }
}

struct Unfenced {
    journal: Journal,
}

#[participant(name = "unfenced")]
impl Unfenced {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn act(self: Arc<Self>, word: String) -> Result<(), Failure> {
        let moved = self;
        moved.journal.tried(word);
        Ok(())
    }

    async fn confirm(&self, word: &str) -> Result<(), Failure> {
        self.journal.confirmed(word);
        Ok(())
    }

    async fn cancel(self: Arc<Self>, word: &str) -> Result<(), Failure> {
        self.journal.cancelled(word);
        Ok(())
    }
}

#[global_transactional]
async fn both(fenced: &Arc<Fenced>, unfenced: &Arc<Unfenced>, fails: bool) -> Result<(), Failure> {
    fenced.clone().act("fenced").await?;
    unfenced.clone().act("unfenced".to_owned()).await?;
    if fails {
        Failure::business("fails")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let db = database().await;
    let mut made = None;
    let world = World::with(|journal| {
        let fenced = Arc::new(Fenced {
            db,
            journal: journal.clone(),
        });
        let unfenced = Arc::new(Unfenced {
            journal: journal.clone(),
        });
        made = Some((fenced.clone(), unfenced.clone()));
        vec![fenced, unfenced]
    })
    .await;
    let (fenced, unfenced) = made.expect("both are made");
    world.commits(both(&fenced, &unfenced, false)).await;
    world.rolls_back(both(&fenced, &unfenced, true)).await;
}
