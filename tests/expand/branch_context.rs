//! The branch's context: a parameter of phase two, `BranchContext::current()` in phase one.

use unanimous::{BranchContext, global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Gateway {
    journal: Journal,
}

#[participant(name = "gateway")]
impl Gateway {
    #[two_phase_action(commit = capture, rollback = release)]
    async fn authorise(&self, amount: u32) -> Result<String, Failure> {
        let context = BranchContext::current().ok_or(Failure::Business("no branch"))?;
        self.journal.tried(context.try_key());
        assert!(amount > 0);
        Ok(context.try_key())
    }

    async fn capture(&self, context: &BranchContext, amount: u32) -> Result<(), Failure> {
        assert_ne!(context.key(), context.try_key());
        assert_eq!((context.action(), amount), ("authorise", 5));
        self.journal.confirmed(context.try_key());
        Ok(())
    }

    async fn release(&self, context: &BranchContext) -> Result<(), Failure> {
        self.journal.cancelled(context.try_key());
        Ok(())
    }
}

#[global_transactional]
async fn charge(gateway: &Gateway, fails: bool) -> Result<(), Failure> {
    let key = gateway.authorise(5).await?;
    assert_eq!(key.len(), 32);
    if fails {
        Failure::business("declined")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let (world, gateway) = World::with_one(|journal| Gateway {
        journal: journal.clone(),
    })
    .await;
    world.commits(charge(&gateway, false)).await;
    world.rolls_back(charge(&gateway, true)).await;
}
