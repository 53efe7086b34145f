//! `#[participant]` above `#[async_trait]`, and a tonic-like handler that delegates to an action.

use std::sync::Arc;

use async_trait::async_trait;
use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, Participant, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

#[async_trait]
trait AccountService: Send + Sync {
    async fn debit(&self, user: &str) -> Result<String, Failure>;
}

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
#[async_trait]
impl AccountService for Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, user: &str) -> Result<String, Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        if user == "eve" {
            return Failure::business("no account");
        }
        self.journal.tried(user);
        Ok(user.to_owned())
    }

    async fn confirm(&self, #[tried] user: &str) -> Result<(), Failure> {
        self.journal.confirmed(user);
        Ok(())
    }

    async fn cancel(&self, user: &str) -> Result<(), Failure> {
        self.journal.cancelled(user);
        Ok(())
    }
}

struct Request<T>(T);

struct DebitRequest {
    user: String,
}

#[async_trait]
trait Handler {
    async fn debit(&self, request: Request<DebitRequest>) -> Result<String, Failure>;
}

struct Server {
    accounts: Arc<Accounts>,
}

#[async_trait]
impl Handler for Server {
    #[global_transactional]
    async fn debit(&self, request: Request<DebitRequest>) -> Result<String, Failure> {
        self.accounts.debit(&request.0.user).await
    }
}

pub(crate) async fn run() {
    let db = database().await;
    let mut made = None;
    let world = World::with(|journal| {
        let accounts = Arc::new(Accounts {
            db,
            journal: journal.clone(),
        });
        made = Some(accounts.clone());
        vec![accounts as Arc<dyn Participant>]
    })
    .await;
    let server = Server {
        accounts: made.expect("it is made"),
    };
    let request = |user: &str| {
        Request(DebitRequest {
            user: user.to_owned(),
        })
    };
    assert_eq!(world.commits(server.debit(request("ann"))).await, "ann");
    let error = world.refuses(server.debit(request("eve"))).await;
    assert!(
        matches!(error, Failure::Business("no account")),
        "{error:?}"
    );
}
