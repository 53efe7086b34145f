//! Each message of a transaction, heard in each way: whatever its caller hears, both participants
//! come to the same end, and to the one that the caller was told.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use unanimous::testing::{Gate, Heard, ManualClock, Message, Scripted};
use unanimous::{Error, Outcome, Runtime, global_transactional};

use crate::participants::{Accounts, Failure, Flaw, PATIENCE, Purse};

const MESSAGES: [Message; 6] = [
    Message::Begin,
    Message::Register,
    Message::Report,
    Message::Commit,
    Message::Rollback,
    Message::PhaseTwo,
];

struct World {
    runtime: Runtime,
    scripted: Scripted,
    clock: ManualClock,
    accounts: Arc<Accounts>,
    purse: Arc<Purse>,
}

#[global_transactional]
async fn buy(world: &World, fails: bool) -> Result<(), Failure> {
    world.accounts.debit(30).await?;
    world.purse.take(30).await?;
    if fails {
        Err("sold out".into())
    } else {
        Ok(())
    }
}

impl World {
    async fn new() -> Self {
        let accounts = Arc::new(Accounts::new().await);
        let purse = Arc::new(Purse::with(Flaw::None));
        let clock = ManualClock::new();
        let scripted = Scripted::memory_on(Arc::new(clock.clone())).await;
        let runtime = Runtime::builder()
            .coordinator_value(Arc::new(scripted.clone()))
            .clock(Arc::new(clock.clone()))
            .participant(accounts.clone())
            .participant(purse.clone())
            .build()
            .await
            .expect("a runtime");
        runtime.ready().await;
        Self {
            runtime,
            scripted,
            clock,
            accounts,
            purse,
        }
    }

    /// Buys while time passes once this message was said, as deadlines and back-off need; until
    /// all is quiet.
    async fn buy(&self, fails: bool, message: Message) -> Result<(), Failure> {
        let bought = tokio::select! {
            biased;
            bought = self.runtime.scope(buy(self, fails)) => bought,
            _ = tokio::time::timeout(PATIENCE, self.time_passes(message)) => {
                panic!("{message:?}: its caller never hears how it ended")
            }
        };
        self.quiet(Duration::from_secs(1)).await;
        bought
    }

    /// Waits until all is quiet, while so much time passes each round.
    async fn quiet(&self, passes: Duration) {
        let quiet = async {
            while !self.runtime.quiet(Duration::ZERO).await {
                self.clock.advance(passes);
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, quiet).await;
        in_time.expect("every branch comes to its end");
    }

    async fn time_passes(&self, message: Message) {
        loop {
            if !self.scripted.said().contains(&message) {
                tokio::task::yield_now().await;
                continue;
            }
            self.clock.advance(Duration::from_millis(10));
            tokio::task::yield_now().await;
        }
    }

    /// Whether both have committed; both have done the same.
    async fn is_committed(&self) -> bool {
        let both = (self.accounts.sums().await, self.purse.gold());
        match both {
            ((70, 0, 30), (70, 1)) => true,
            ((100, 0, 0), (100, 0)) => false,
            other => panic!("they differ: {other:?}"),
        }
    }
}

#[tokio::test]
async fn whatever_is_heard_of_a_message_both_participants_end_alike() {
    for message in MESSAGES {
        for heard in [
            Heard::AtOnce,
            Heard::Twice,
            Heard::Lost,
            Heard::Unsent,
            Heard::Never,
        ] {
            for fails in [false, true] {
                let label = format!("{message:?} {heard:?} {fails}");
                let world = World::new().await;
                world.scripted.next(message, heard.clone());
                let bought = world.buy(fails, message).await;
                let is_committed = world.is_committed().await;
                match &bought {
                    Ok(()) => assert!(is_committed && !fails, "{label}"),
                    Err(error) => match Error::find_in(&**error) {
                        Some(Error::Unknown { xid, .. }) => {
                            let outcome = world.runtime.outcome(xid).await;
                            assert_eq!(outcome == Outcome::Committed, is_committed, "{label}");
                        }
                        _ => assert!(!is_committed, "{label}: {error}"),
                    },
                }
                let comes = match message {
                    Message::Commit => !fails,
                    Message::Rollback => fails,
                    _ => true,
                };
                assert_eq!(world.scripted.is_over(), comes, "{label}");
            }
        }
    }
}

#[tokio::test]
async fn late_answers_change_nothing() {
    for message in MESSAGES {
        let world = World::new().await;
        let gate = Gate::new();
        world.scripted.next(message, Heard::Late(gate.clone()));
        let opens = async {
            let reached = tokio::time::timeout(PATIENCE, gate.reached()).await;
            assert!(reached.is_ok(), "{message:?} is never said");
            gate.open();
        };
        // Rollback is asked only where the body fails.
        let fails = message == Message::Rollback;
        let (bought, ()) = join(world.runtime.scope(buy(&world, fails)), opens).await;
        match bought {
            Ok(()) => assert!(!fails, "{message:?}"),
            Err(error) => assert!(
                fails && error.to_string() == "sold out",
                "{message:?}: {error}"
            ),
        }
        world.quiet(Duration::ZERO).await;
        assert_eq!(world.is_committed().await, !fails, "{message:?}");
        assert!(world.scripted.is_over(), "{message:?}");
    }
}
