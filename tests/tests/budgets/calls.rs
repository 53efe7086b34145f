//! Annotated calls whose bodies do nothing, and the plain ones beside them.

use std::future::ready;
use std::sync::Arc;

use unanimous::sqlx::Sqlite;
use unanimous::sqlx::sqlite::SqlitePoolOptions;
use unanimous::{Error, FenceTx, Runtime, global_transactional, participant, two_phase_action};

use crate::fake::{Agreeing, Pool};

pub(crate) async fn plain(number: u64) -> Result<u64, Error> {
    ready(()).await;
    Ok(number)
}

/// Begins and decides outside, joins inside.
#[global_transactional]
pub(crate) async fn required(number: u64) -> Result<u64, Error> {
    ready(()).await;
    Ok(number)
}

#[global_transactional(propagation = supports)]
pub(crate) async fn supports(number: u64) -> Result<u64, Error> {
    ready(()).await;
    Ok(number)
}

#[global_transactional(propagation = not_supported)]
pub(crate) async fn not_supported(number: u64) -> Result<u64, Error> {
    ready(()).await;
    Ok(number)
}

#[global_transactional(propagation = never)]
pub(crate) async fn never(number: u64) -> Result<u64, Error> {
    ready(()).await;
    Ok(number)
}

#[global_transactional(propagation = mandatory)]
pub(crate) async fn mandatory(number: u64) -> Result<u64, Error> {
    ready(()).await;
    Ok(number)
}

#[derive(Clone, Debug)]
pub(crate) struct Fenced {
    pool: Pool,
}

#[participant(name = "fenced", fence = self.pool)]
impl Fenced {
    #[two_phase_action(commit = done, rollback = done)]
    pub(crate) async fn act(
        &self,
        _tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: u64,
    ) -> Result<(), Error> {
        ready((user, amount)).await;
        Ok(())
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct Unfenced;

#[participant(name = "unfenced")]
impl Unfenced {
    #[two_phase_action(commit = done, rollback = done)]
    pub(crate) async fn act(&self, user: &str, amount: u64) -> Result<(), Error> {
        ready((user, amount)).await;
        Ok(())
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[two_phase_action(commit = done(), rollback = done(), fence = pool)]
pub(crate) async fn fenced_function(
    #[state] pool: &Pool,
    _tx: &mut FenceTx<Sqlite>,
    user: &str,
    amount: u64,
) -> Result<(), Error> {
    ready((pool, user, amount)).await;
    Ok(())
}

#[two_phase_action(commit = done(), rollback = done())]
pub(crate) async fn function(user: &str, amount: u64) -> Result<(), Error> {
    ready((user, amount)).await;
    Ok(())
}

async fn done() -> Result<(), Error> {
    ready(()).await;
    Ok(())
}

/// A runtime on the coordinator that agrees, and its participants.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) fenced: Fenced,
}

impl World {
    pub(crate) async fn start() -> Self {
        let one = SqlitePoolOptions::new().max_connections(1);
        let pool = one.connect("sqlite::memory:").await;
        let fenced = Fenced {
            pool: Pool(pool.expect("SQLite is compiled in")),
        };
        let runtime = Runtime::builder()
            .coordinator_value(Agreeing::new())
            .participant(Arc::new(fenced.clone()))
            .participant(Arc::new(Unfenced))
            .state(fenced.pool.clone())
            .action(function)
            .action(fenced_function)
            .build()
            .await
            .expect("a runtime");
        Self { runtime, fenced }
    }
}
