//! Names as a wire format: branches that an older version registered are ended by the newer one,
//! by hand and with annotations alike.

use std::borrow::Cow;
use std::sync::Arc;

use by_hand::{BankError, Journal, ledger};
use sqlx::SqlitePool;
use unanimous::branch::fence::DynFence;
use unanimous::branch::{ActionSpec, BoxFuture};
use unanimous::{
    Action, Branch, BranchContext, Error, Fence as _, GlobalTransaction, Participant,
    PhaseTwoError, Runtime,
};

use crate::observed::{self, Observed, World, told};

/// An instance of the older version, which is being stopped: what it registers is ended elsewhere.
#[derive(Clone)]
struct Older {
    name: &'static str,
    db: SqlitePool,
}

const SET_PRICE: ActionSpec = ActionSpec::new("set_price", file!(), line!());
const RING: ActionSpec = ActionSpec::new("ring", file!(), line!());
const TAKE: ActionSpec = ActionSpec::new("fee.take", file!(), line!());

impl Older {
    async fn set_price(&self, door: i64, price: i64) -> Result<i64, BankError> {
        let action = Action::new(&SET_PRICE, self).argument("door", &door);
        let action = action.argument("amount", &price);
        let body = async |tx: &mut unanimous::FenceTx<sqlx::Sqlite>| {
            let before = ledger::price(tx, door, price).await?;
            if let Some(branch) = BranchContext::current() {
                branch.keep("before", &before).map_err(Error::from)?;
            }
            Ok(before)
        };
        action.run_fenced(&self.db, body).await
    }

    /// Knows nothing of loud rings.
    async fn ring(&self, times: u32) -> Result<(), BankError> {
        let action = Action::new(&RING, self).argument("times", &times);
        action.run(async { Ok(()) }).await
    }

    async fn take(&self, user: &str, amount: i64) -> Result<i64, BankError> {
        let action = Action::new(&TAKE, self).argument("user", user);
        let action = action.argument("amount", &amount);
        action
            .run_fenced(&self.db, async |tx| ledger::hold(tx, user, amount).await)
            .await
    }
}

impl Participant for Older {
    fn name(&self) -> Cow<'static, str> {
        self.name.into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[SET_PRICE, RING, TAKE]
    }

    fn fence(&self) -> Option<&dyn DynFence> {
        Some(self.db.erased())
    }

    fn phase_two(self: Arc<Self>, _: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        let elsewhere = PhaseTwoError::not_here("this version is being stopped");
        Box::pin(std::future::ready(Err(elsewhere)))
    }
}

/// Runs all actions of the older version in one transaction, beside the newer version.
async fn play(newer: &World, db: &SqlitePool, fails: bool) -> String {
    let older = |name| Older {
        name,
        db: db.clone(),
    };
    let (safes, fees) = (older("safe-Paris"), older("fee.take"));
    let runtime = Runtime::builder()
        .coordinator_value(newer.runtime().coordinator_value())
        .participant(Arc::new(safes.clone()))
        .participant(Arc::new(fees.clone()))
        .build()
        .await
        .expect("a second runtime can be built");
    runtime.ready().await;
    let body = async {
        let before = safes.set_price(1, 30).await?;
        safes.ring(2).await?;
        let left = fees.take("ada", 5).await?;
        if fails {
            return Err(BankError::PaidBefore);
        }
        Ok((before, left))
    };
    let transaction = GlobalTransaction::named("older").runtime(&runtime);
    newer
        .play(async {
            let completed = transaction.run(body).await.expect("it began");
            told(completed.into_result())
        })
        .await
}

macro_rules! ended_by {
    ($name:ident, $($bank:tt)+) => {
        async fn $name(fails: bool) -> Observed {
            use $($bank)+ as bank;

            let (db, journal) = (observed::ledger().await, Journal::default());
            let safes = bank::Safes {
                city: "Paris",
                db: db.clone(),
                journal: journal.clone(),
            };
            let newer = World::start(|builder| {
                builder
                    .participant(Arc::new(safes))
                    .state(db.clone())
                    .action(bank::fees::charge)
            });
            let newer = newer.await;
            let answer = play(&newer, &db, fails).await;
            newer.observe(vec![answer], &[db], journal.all()).await
        }
    };
}

ended_by!(ended_by_hand, ::by_hand);
ended_by!(ended_with_annotations, crate::annotated);

#[tokio::test]
async fn branches_of_an_older_version_are_committed_the_same() {
    let by_hand = ended_by_hand(false).await;
    assert_eq!(by_hand, ended_with_annotations(false).await);
    assert_eq!(by_hand.answers, ["Ok((10, 95))"]);
    assert_eq!(by_hand.balances[0], ("ada".to_owned(), 95, 0));
    assert_eq!(by_hand.safes[0], (1, 30, 0));
    assert_eq!(by_hand.outside, ["rings 2, loud: false"]);
}

#[tokio::test]
async fn branches_of_an_older_version_are_rolled_back_the_same() {
    let by_hand = ended_by_hand(true).await;
    assert_eq!(by_hand, ended_with_annotations(true).await);
    assert_eq!(by_hand.answers, ["Err(PaidBefore)"]);
    assert_eq!(by_hand.balances[0], ("ada".to_owned(), 100, 0));
    assert_eq!(by_hand.safes[0], (1, 10, 0));
    assert!(by_hand.outside.is_empty(), "{:?}", by_hand.outside);
}
