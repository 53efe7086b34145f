//! Which instance belongs to which provided participant, and which names are refused.

use std::borrow::Cow;

use futures_util::future::{BoxFuture, ready};

use super::*;
use crate::branch::deliver::ProvideError;
use crate::branch::fence::DynFence;
use crate::branch::{ActionSpec, Branch, PhaseTwoError, SourceLocation};
use unanimous_protocol::ActionName;

/// A participant of any name and actions, without contents.
struct Plain {
    name: &'static str,
    actions: &'static [ActionSpec],
    any_instance: bool,
}

impl Participant for Plain {
    fn name(&self) -> Cow<'static, str> {
        self.name.into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        self.actions
    }

    fn any_instance(&self) -> bool {
        self.any_instance
    }

    fn declared_at(&self) -> Option<SourceLocation> {
        Some(SourceLocation {
            file: "plain.rs",
            line: 7,
        })
    }

    fn phase_two(self: Arc<Self>, _: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(ready(Ok(())))
    }
}

type Participants = Vec<Arc<dyn Participant>>;

/// A participant of size zero.
struct Unit;

impl Participant for Unit {
    fn name(&self) -> Cow<'static, str> {
        "unit".into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[]
    }

    fn phase_two(self: Arc<Self>, _: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(ready(Ok(())))
    }
}

fn plain(name: &'static str, actions: &'static [ActionSpec]) -> Arc<Plain> {
    Arc::new(Plain {
        name,
        actions,
        any_instance: false,
    })
}

fn registry(participants: Participants) -> Result<Registry, ProvideError> {
    let provided = participants.into_iter().map(|participant| {
        let database = participant.fence().map(|_| DATABASE);
        Provided::new(participant, database)
    });
    Registry::new(provided.collect::<Result<_, _>>()?)
}

#[test]
fn behind_a_fence_the_pool_counts_and_clones_of_it_are_the_same() {
    let log = Log::default();
    let (one, two) = (FakeFence::new(1, &log), FakeFence::new(2, &log));
    let provided = FakeParticipant::fenced(&one);
    let registry = registry(vec![Arc::clone(&provided) as _]).unwrap();
    let same_pool = FakeParticipant::fenced(&one);
    let other_pool = FakeParticipant::fenced(&two);
    let behind = |instance: &FakeParticipant| {
        let pool = instance.fence().map(DynFence::pool_key);
        registry.behind(instance, pool).is_some()
    };
    assert!(behind(&provided) && behind(&same_pool));
    assert!(!behind(&other_pool));
    assert!(!behind(&FakeParticipant::unfenced(&log)));
    // Same name and pool, another type.
    assert!(registry.behind(&*plain("bank", &[]), Some(1)).is_none());
}

#[test]
fn without_a_fence_the_address_counts_unless_any_instance_may_run() {
    let provided = plain("bank", &[]);
    let registry_of = |one: &Arc<Plain>| registry(vec![Arc::clone(one) as _]).unwrap();
    let known = registry_of(&provided);
    assert!(known.behind(&*provided, None).is_some());
    assert!(known.behind(&*plain("bank", &[]), None).is_none());
    assert!(known.behind(&*plain("shop", &[]), None).is_none());
    let any = Arc::new(Plain {
        name: "bank",
        actions: &[],
        any_instance: true,
    });
    assert!(
        registry_of(&any)
            .behind(&*plain("bank", &[]), None)
            .is_some()
    );
    let unit = registry(vec![Arc::new(Unit)]).unwrap();
    assert!(unit.behind(&Unit, None).is_some());
}

#[test]
fn bad_names_are_refused_with_their_place() {
    const LONG: &str = concat!(
        "0123456789012345678901234567890123456789012345678901234567890123",
        "01234567890123456789012345678901234567890123456789012345678901234"
    );
    const TWICE: &[ActionSpec] = &[
        ActionSpec::new("debit", "bank.rs", 3),
        ActionSpec::new("debit", "bank.rs", 9),
    ];
    const BY_ALIAS: &[ActionSpec] = &[
        ActionSpec::new("take", "bank.rs", 3).aliases(&["debit"]),
        ActionSpec::new("debit", "bank.rs", 9),
    ];
    const EMPTY: &[ActionSpec] = &[ActionSpec::new("", "bank.rs", 3)];
    let table: [(Participants, &[&str]); 6] = [
        (
            vec![plain("", &[])],
            &["(plain.rs:7)", "a name must not be empty"],
        ),
        (vec![plain(LONG, &[])], &["this one has 129"]),
        (
            vec![plain("bank", EMPTY)],
            &["`bank`", "(bank.rs:3)", "must not be empty"],
        ),
        (
            vec![plain("bank", TWICE)],
            &["two actions named `debit`", "(bank.rs:3)", "(bank.rs:9)"],
        ),
        (
            vec![plain("bank", BY_ALIAS)],
            &["two actions named `debit`", "(bank.rs:3)", "(bank.rs:9)"],
        ),
        (
            vec![plain("a", &[]), plain("a", &[])],
            &["two participants are named `a`", "name = EXPR"],
        ),
    ];
    for (participants, texts) in table {
        let message = registry(participants).unwrap_err().to_string();
        for text in texts {
            assert!(message.contains(text), "{message}");
        }
    }
}

#[test]
fn more_than_an_attachment_presents_is_refused_at_build() {
    let named = |n: usize| plain(Box::leak(format!("bank-{n}").into_boxed_str()), &[]) as _;
    let max = unanimous_protocol::limits::RESOURCES_MAX;
    assert!(registry((0..max).map(named).collect()).is_ok());
    let error = registry((0..=max).map(named).collect()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "1001 participants and functions are provided: at most 1000 can be presented to a coordinator"
    );
}

#[tokio::test]
async fn a_fence_that_cannot_be_prepared_names_its_participant_and_why() {
    let log = Log::default();
    let fence = FakeFence::new(1, &log);
    fence
        .script()
        .reads
        .push_back(crate::branch::fakes::database_error());
    let participant = FakeParticipant::fenced(&fence);
    let error = Provided::prepare(participant, true, false)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the fence of the participant `bank` cannot be used: the fence's database failed: disk on fire"
    );
    let source = std::error::Error::source(&error);
    assert!(source.is_none(), "its text would be told twice");
    let provided = Provided::prepare(FakeParticipant::fenced(&fence), true, false)
        .await
        .unwrap();
    assert_eq!(provided.resource().database, Some(DATABASE));
}

#[test]
fn a_participant_answers_to_the_old_names_of_its_actions() {
    const RENAMED: &[ActionSpec] = &[ActionSpec::new("take", "bank.rs", 3).aliases(&["debit"])];
    let registry = registry(vec![plain("bank", RENAMED)]).unwrap();
    let bank = registry.iter().next().unwrap();
    let names: Vec<_> = bank.actions().map(ActionName::as_str).collect();
    assert_eq!(names, ["debit", "take"]);
    let (_, target) = bank.action("debit").unwrap();
    assert_eq!(target.as_str(), "bank.debit");
}
