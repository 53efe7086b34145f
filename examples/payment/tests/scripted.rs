//! A coordinator whose answers come late, twice, never or not at all: the participant without a
//! database holds nothing back, takes nothing twice, and agrees with the outcome.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use payment::api::{Api, Card};
use payment::payments::{PaymentError, Payments};
use unanimous::testing::{Gate, Heard, ManualClock, Message, Scripted};
use unanimous::{GlobalTransaction, Outcome, Runtime, Xid};

const PRICE: i64 = 30;
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

struct World {
    api: Api,
    payments: Payments,
    scripted: Scripted,
    clock: ManualClock,
    runtime: Runtime,
    begun: Mutex<Option<Xid>>,
}

impl World {
    async fn open() -> Self {
        let api = Api::serve(&[("ann", 100)]).await.expect("a port");
        let payments = Payments::new(api.address()).expect("a client");
        let (scripted, clock) = (Scripted::memory().await, ManualClock::new());
        let runtime = Runtime::builder()
            .coordinator_value(Arc::new(scripted.clone()))
            .clock(Arc::new(clock.clone()))
            .participant(Arc::new(payments.clone()))
            .build()
            .await
            .expect("a runtime");
        // Before the clock is needed: it stands still.
        runtime.ready().await;
        Self {
            api,
            payments,
            scripted,
            clock,
            runtime,
            begun: Mutex::default(),
        }
    }

    /// Pays, and then sells, or does not.
    async fn pay(&self, sells: bool, timeout: Duration) -> Result<(), PaymentError> {
        let body = async {
            *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = unanimous::xid();
            self.payments.authorise("ann", PRICE).await?;
            if sells {
                return Ok(());
            }
            Err(PaymentError::Refused("sold out".to_owned()))
        };
        let pay = GlobalTransaction::named("pay").timeout(timeout);
        let pay = pay.runtime(&self.runtime);
        pay.run(body).await?.into_result()
    }

    /// All that was decided is carried out: what became of the card, and the outcome.
    async fn settled(&self) -> (Card, Option<Outcome>) {
        loop {
            // What is repeated after a pause is repeated now.
            self.clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
            let open = self.runtime.admin().list(false, 10).await;
            if open.is_ok_and(|open| open.is_empty()) {
                break;
            }
        }
        let begun = self
            .begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let outcome = match &begun {
            Some(xid) => Some(self.runtime.outcome(xid).await),
            None => None,
        };
        (self.api.books().card("ann"), outcome)
    }

    /// One payment with one answer that is heard so.
    async fn plays(message: Message, heard: Heard, sells: bool) {
        let what = format!("{message:?} {heard:?}, sells: {sells}");
        let world = Self::open().await;
        world.scripted.next(message, heard.clone());
        let meanwhile = async {
            if let Heard::Late(gate) = &heard {
                gate.reached().await;
                gate.open();
            }
            while !world.scripted.said().contains(&message) {
                tokio::task::yield_now().await;
            }
            // What never comes is waited for beyond every deadline; what was lost is asked again.
            let step = match heard {
                Heard::Never => Duration::from_secs(70),
                _ => Duration::from_millis(10),
            };
            loop {
                world.clock.advance(step);
                tokio::task::yield_now().await;
            }
        };
        // What the coordinator is not told of stays open until its own deadline.
        let untold = matches!(
            (message, &heard),
            (Message::Begin, Heard::Twice) | (Message::Rollback, Heard::Unsent)
        );
        let timeout = if untold { SHORT } else { LONG };
        let paid = tokio::select! {
            paid = world.pay(sells, timeout) => paid,
            never = meanwhile => never,
        };
        if let Heard::Late(gate) = &heard {
            // Phase two: the payment does not wait for it.
            gate.reached().await;
            gate.open();
        }
        assert!(sells || paid.is_err(), "{what}");
        let (card, outcome) = world.settled().await;
        let committed = matches!(outcome, Some(Outcome::Committed));
        assert!(committed || paid.is_err(), "{what}: {outcome:?}");
        let captured = if committed { PRICE } else { 0 };
        let expected = Card {
            free: 100 - captured,
            held: 0,
            captured,
        };
        assert_eq!(card, expected, "{what}: {outcome:?}");
        assert!(world.scripted.is_over(), "{what}: it was not said");
    }
}

#[tokio::test]
async fn answers_that_come_late_or_twice_change_nothing() {
    for (message, sells) in said() {
        World::plays(message, Heard::Late(Gate::new()), sells).await;
        World::plays(message, Heard::Twice, sells).await;
    }
}

#[tokio::test]
async fn answers_and_requests_that_are_lost_leave_a_payment_whole() {
    // A transaction of which nobody knows stays open until its deadline: it has no branch.
    for (message, sells) in said().filter(|(message, _)| *message != Message::Begin) {
        World::plays(message, Heard::Lost, sells).await;
        World::plays(message, Heard::Unsent, sells).await;
    }
}

#[tokio::test]
async fn answers_that_never_come_leave_a_payment_whole() {
    for message in [Message::Register, Message::Report, Message::Commit] {
        World::plays(message, Heard::Never, true).await;
    }
    World::plays(Message::Rollback, Heard::Never, false).await;
}

/// What is said in a payment that commits, and in one that rolls back.
fn said() -> impl Iterator<Item = (Message, bool)> {
    let both = [
        Message::Begin,
        Message::Register,
        Message::Report,
        Message::PhaseTwo,
    ];
    let both = both.into_iter();
    let both = both.flat_map(|message| [(message, true), (message, false)]);
    both.chain([(Message::Commit, true), (Message::Rollback, false)])
}

#[tokio::test]
async fn two_payments_whose_answers_are_swapped_are_both_whole() {
    let world = World::open().await;
    for message in [Message::Register, Message::Commit] {
        world.scripted.swapped(message);
    }
    let (one, other) = tokio::join!(world.pay(true, LONG), world.pay(true, LONG));
    one.and(other).expect("both are paid");
    let (card, _) = world.settled().await;
    let expected = Card {
        free: 100 - 2 * PRICE,
        held: 0,
        captured: 2 * PRICE,
    };
    assert_eq!(card, expected);
    assert!(world.scripted.is_over());
}
