//! Every path of phase one, with a scripted coordinator and fence; the generic fronts on SQLite.

mod fenced;
#[cfg(feature = "sqlite")]
mod generic;
mod refused;
mod unfenced;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use unanimous_protocol::Alias;
use unanimous_protocol::message::Commit;

use super::*;
use crate::__private::{How, how, how_fenced};
use crate::branch::fakes::{FakeCoordinator, FakeFence, FakeParticipant, Log};
use crate::branch::fence::FenceError;
use crate::branch::{BranchContext, Recorder};
use crate::clock::ManualClock;
use crate::context::Scope;
use crate::coordinator::Capabilities;
use crate::{GlobalTransaction, Runtime};

const DEBIT: ActionSpec = ActionSpec::new("debit", "tests.rs", 11);

type Outcome = Result<u64, Error>;

/// Whether an error is the expected one.
type Expected = fn(&Error) -> bool;

/// One process with two fenced participants on pools of their own, and one without a fence.
struct Process {
    log: Log,
    bank: Arc<FakeParticipant>,
    shop: Arc<FakeParticipant>,
    mail: Arc<FakeParticipant>,
    fence: Arc<FakeFence>,
    coordinator: Arc<FakeCoordinator>,
    runtime: Runtime,
}

impl Process {
    async fn start() -> Self {
        Self::beside(Capabilities::full()).await
    }

    /// Beside a coordinator that can do this.
    async fn beside(capabilities: Capabilities) -> Self {
        let log = Log::default();
        let (fence, other) = (FakeFence::new(1, &log), FakeFence::new(2, &log));
        let participant = |name, fence: Option<&Arc<FakeFence>>| {
            let (log, acts) = (log.clone(), Mutex::default());
            Arc::new(FakeParticipant {
                name,
                fence: fence.cloned(),
                log,
                acts,
            })
        };
        let bank = participant("bank", Some(&fence));
        let shop = participant("shop", Some(&other));
        let mail = participant("mail", None);
        let (coordinator, _) = FakeCoordinator::that_can(capabilities, &log);
        let runtime = Runtime::builder()
            .coordinator_value(Arc::clone(&coordinator) as _)
            .clock(Arc::new(ManualClock::new()))
            .participant(Arc::clone(&bank) as _)
            .participant(Arc::clone(&shop) as _)
            .participant(Arc::clone(&mail) as _)
            .build()
            .await
            .unwrap();
        Self {
            log,
            bank,
            shop,
            mail,
            fence,
            coordinator,
            runtime,
        }
    }

    /// Runs the body as a global transaction.
    async fn transaction(&self, body: impl Future<Output = Outcome>) -> Outcome {
        let transaction = GlobalTransaction::named("test").runtime(&self.runtime);
        transaction.run(body).await?.into_result()
    }

    fn commits(&self) -> Vec<Commit> {
        std::mem::take(&mut self.coordinator.script().committed)
    }
}

fn seven() -> Recorder {
    Recorder::new().put("amount", &7)
}

fn names(aliases: &[u32]) -> BTreeSet<Alias> {
    aliases.iter().copied().map(Alias).collect()
}

/// What the generic front does, with a local transaction that only logs.
async fn debit(
    on: &FakeParticipant,
    arguments: Recorder,
    body: impl Future<Output = Outcome>,
) -> Outcome {
    let how: How<Outcome> = how_fenced();
    let fence = on.fence.as_ref().expect("it is behind a fence");
    let (phase, transaction) = match begin_fenced(&DEBIT, on, &**fence, arguments)?.await {
        Ok(Begun::Run(phase, transaction)) => (phase, transaction),
        Ok(Begun::Replay(replay)) => return how.replay(*replay),
        Err(error) => return Err(error),
    };
    let result = phase.enter(body).await;
    finish_fenced(phase, transaction, how.ended(&result)).await?;
    result
}
