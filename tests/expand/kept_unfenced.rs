//! Without a fence kept values travel to the coordinator once phase one has ended: confirm finds
//! them, a rollback may not.

use unanimous::{BranchContext, global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Gateway {
    journal: Journal,
}

#[participant(name = "gateway")]
impl Gateway {
    #[two_phase_action(commit = capture, rollback = release)]
    async fn authorise(&self, card: &str) -> Result<(), Failure> {
        self.journal.tried(card);
        let branch = BranchContext::current().expect("phase one has a branch");
        branch
            .keep("authorisation", &[4, 2])
            .map_err(unanimous::Error::from)?;
        if card == "expired" {
            Failure::business("expired")
        } else {
            Ok(())
        }
    }

    async fn capture(&self, card: &str, #[kept] authorisation: &[u8]) -> Result<(), Failure> {
        assert_eq!(authorisation, [4, 2]);
        self.journal.confirmed(card);
        Ok(())
    }

    async fn release(
        &self,
        #[kept] authorisation: Option<&Vec<u8>>,
        card: String,
    ) -> Result<(), Failure> {
        assert_eq!(authorisation.is_none(), card == "expired");
        self.journal.cancelled(card);
        Ok(())
    }
}

#[global_transactional]
async fn pay(gateway: &Gateway, card: &str, sold_out: bool) -> Result<(), Failure> {
    gateway.authorise(card).await?;
    if sold_out {
        Failure::business("sold out")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let (world, gateway) = World::with_one(|journal| Gateway {
        journal: journal.clone(),
    })
    .await;
    world.commits(pay(&gateway, "4711", false)).await;
    world.rolls_back(pay(&gateway, "4711", true)).await;
    world.rolls_back(pay(&gateway, "expired", false)).await;
}
