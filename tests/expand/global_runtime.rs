//! A runtime of one's own instead of the surrounding or the installed one.

use unanimous::{Runtime, global_transactional};

use crate::world::{Failure, Probe, World};

struct Shop {
    runtime: Runtime,
}

impl Shop {
    #[global_transactional(runtime = self.runtime)]
    async fn purchase(&self, probe: &Probe) -> Result<(), Failure> {
        probe.touch("field").await?;
        Ok(())
    }
}

#[global_transactional(runtime = runtime)]
async fn purchase(runtime: &Runtime, probe: &Probe) -> Result<(), Failure> {
    probe.touch("parameter").await?;
    Ok(())
}

pub(crate) async fn run() {
    let (world, other) = (World::start().await, World::start().await);
    let shop = Shop {
        runtime: other.runtime.clone(),
    };
    // The probe belongs to the other runtime: within this one it would be refused.
    world
        .runtime
        .scope(shop.purchase(&other.probe))
        .await
        .expect("it runs in the other runtime");
    other.commits(purchase(&other.runtime, &other.probe)).await;
}
