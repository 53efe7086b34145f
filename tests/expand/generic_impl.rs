//! A generic participant: types of the impl may be recorded. Its own traits return `Send` futures,
//! as phase two is boxed.

use std::fmt::Display;
use std::future::Future;

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

trait Repo: Send + Sync + 'static {
    type Id: Clone + Display + Send + Sync + serde::Serialize + serde::de::DeserializeOwned;

    fn save(&self, id: &Self::Id) -> impl Future<Output = bool> + Send;
}

struct InMemory;

impl Repo for InMemory {
    type Id = u64;

    async fn save(&self, id: &u64) -> bool {
        *id > 0
    }
}

struct Accounts<R, const N: usize> {
    repo: R,
    journal: Journal,
}

#[participant(name = format!("account-{N}"))]
impl<R, const N: usize> Accounts<R, N>
where
    R: Repo,
{
    const LIMIT: usize = N;

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn open(&self, id: R::Id, others: &[R::Id]) -> Result<usize, Failure> {
        self.journal.tried(&id);
        if others.len() > Self::LIMIT {
            Failure::business("too many")
        } else {
            Ok(N)
        }
    }

    async fn confirm(&self, id: &R::Id, others: Vec<R::Id>) -> Result<(), Failure> {
        assert!(self.repo.save(id).await && others.len() <= N);
        self.journal.confirmed(id);
        Ok(())
    }

    async fn cancel(&self, id: R::Id) -> Result<(), Failure> {
        self.journal.cancelled(id);
        Ok(())
    }
}

#[global_transactional]
async fn open<R: Repo>(
    accounts: &Accounts<R, 2>,
    id: R::Id,
    others: &[R::Id],
) -> Result<usize, Failure> {
    accounts.open(id, others).await
}

pub(crate) async fn run() {
    let (world, accounts) = World::with_one(|journal| Accounts::<_, 2> {
        repo: InMemory,
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(open(&accounts, 7, &[8, 9])).await, 2);
    world.rolls_back(open(&accounts, 7, &[8, 9, 10])).await;
}
