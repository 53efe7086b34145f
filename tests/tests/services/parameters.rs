//! Parameters of all the types that services have, read back by both partners as they were passed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use unanimous::{Error, global_transactional, participant};

use crate::{Journal, ended, started};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Payment {
    Card { number: String },
    Cash,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
struct Sku(u64);

type Lines = Vec<(Sku, Option<NonZeroU32>)>;

struct Desk<const N: usize> {
    journal: Journal,
}

type Res<T = ()> = Result<T, Error>;

#[participant(name = "desk")]
impl<const N: usize> Desk<N> {
    #[two_phase_action(commit = close, rollback = reopen)]
    #[allow(clippy::too_many_arguments, clippy::ref_option)]
    async fn open<'a>(
        &'a self,
        payment: &'a Payment,
        lines: Lines,
        labels: &BTreeMap<Sku, Cow<'static, str>>,
        receipt: &Path,
        wait: Duration,
        rate: f64,
        big: u128,
        letter: char,
        seats: [u8; 3],
        memo: &Option<String>,
        tags: Cow<'a, [String]>,
        boxed: Box<str>,
        unit: (),
        nested: Option<Vec<HashMap<String, Result<u8, String>>>>,
    ) -> Res<&'a str> {
        self.journal.write(receipt.display().to_string());
        self.journal.write(format!(
            "tried {payment:?} {lines:?} {labels:?} {wait:?} {rate:?} {big} {letter} \
             {seats:?} {memo:?} {tags:?} {boxed} {unit:?} {nested:?}"
        ));
        let Payment::Card { number } = payment else {
            return Ok("cash");
        };
        Ok(number)
    }

    #[allow(clippy::too_many_arguments, clippy::ptr_arg)]
    async fn close(
        &self,
        nested: Option<Vec<HashMap<String, Result<u8, String>>>>,
        unit: (),
        boxed: &str,
        tags: &[String],
        memo: Option<&String>,
        seats: &[u8],
        letter: char,
        big: &u128,
        rate: f64,
        wait: Duration,
        receipt: &Path,
        labels: BTreeMap<Sku, Cow<'static, str>>,
        lines: &Lines,
        payment: Payment,
    ) -> Res {
        self.journal.write(receipt.display().to_string());
        self.journal.write(format!(
            "tried {payment:?} {lines:?} {labels:?} {wait:?} {rate:?} {big} {letter} \
             {seats:?} {:?} {tags:?} {boxed} {unit:?} {nested:?}",
            memo.cloned()
        ));
        Ok(())
    }

    async fn reopen(
        self: Arc<Self>,
        payment: &Payment,
        tags: Vec<String>,
        boxed: Box<str>,
        memo: Option<String>,
    ) -> Res {
        self.journal
            .write(format!("{N}: no {payment:?} {tags:?} {boxed} {memo:?}"));
        Ok(())
    }
}

#[global_transactional]
async fn checkout<const N: usize>(desk: &Desk<N>, payment: Payment) -> Result<String, Error> {
    let labels = BTreeMap::from([(Sku(1), "tea".into()), (Sku(2), "milk".into())]);
    let lines = vec![(Sku(1), NonZeroU32::new(2)), (Sku(2), None)];
    let nested = Some(vec![HashMap::from([("a".to_owned(), Err("b".to_owned()))])]);
    let (receipt, memo) = (Path::new("receipts/1.pdf"), Some("memo".to_owned()));
    let tags = Cow::Owned(vec!["x".to_owned()]);
    let wait = Duration::new(3, 7);
    let call = desk.open(
        &payment,
        lines,
        &labels,
        receipt,
        wait,
        0.1 + 0.2,
        u128::MAX,
        'é',
        [1, 2, 3],
        &memo,
        tags,
        "boxed".into(),
        (),
        nested,
    );
    match call.await? {
        "cash" => Err(Error::NoRuntime),
        number => Ok(number.to_owned()),
    }
}

#[tokio::test]
async fn parameters_of_many_types_commit_and_roll_back() {
    let journal = Journal::default();
    let desk = Arc::new(Desk::<4> {
        journal: journal.clone(),
    });
    let runtime = started(|builder| builder.participant(desk.clone())).await;
    let number = "4711".to_owned();
    let paid = ended(&runtime, checkout(&desk, Payment::Card { number })).await;
    assert_eq!(paid.ok().as_deref(), Some("4711"));
    let lines = journal.take();
    assert_eq!(lines.len(), 4);
    assert_eq!((&lines[0], &lines[2]), (&lines[1], &lines[3]));

    assert!(
        ended(&runtime, checkout(&desk, Payment::Cash))
            .await
            .is_err()
    );
    let lines = journal.take();
    assert_eq!(lines[0], r#"4: no Cash ["x"] boxed Some("memo")"#);
}
