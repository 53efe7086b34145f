//! A service that is generic over its repository, one behind `Arc<dyn Trait>`, and both with mocks.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use unanimous::testing::without_coordinator;
use unanimous::{
    BranchContext, FromTransactionError, PhaseTwoError, global_transactional, participant,
};

use crate::{Journal, ended, started};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Order {
    sku: String,
    count: u32,
}

#[derive(Debug, PartialEq)]
struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the book is full")
    }
}

impl StdError for Full {}

/// What stores orders. Its futures can be sent, as phase two runs in a task.
trait Repository: Send + Sync + 'static {
    type Error: StdError + Send + Sync + 'static;

    fn insert(&self, order: Order) -> impl Future<Output = Result<u64, Self::Error>> + Send;
    fn publish(&self, id: u64) -> impl Future<Output = Result<(), Self::Error>> + Send;
    fn delete(&self, id: u64) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// The error of a service over any repository.
#[derive(Debug, thiserror::Error)]
enum ServiceError<E> {
    #[error("the repository failed")]
    Repository(#[source] E),
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

struct Orders<R> {
    repository: R,
}

#[participant(name = "orders")]
impl<R: Repository> Orders<R> {
    #[two_phase_action(commit = publish, rollback = erase)]
    async fn create(&self, order: &Order) -> Result<u64, ServiceError<R::Error>> {
        let inserted = self.repository.insert(order.clone()).await;
        inserted.map_err(ServiceError::Repository)
    }

    async fn publish(&self, #[tried] id: &u64) -> Result<(), R::Error> {
        self.repository.publish(*id).await
    }

    async fn erase(
        &self,
        #[tried] id: Option<&u64>,
        branch: &BranchContext,
    ) -> Result<(), PhaseTwoError> {
        let Some(id) = id else {
            return Ok(());
        };
        let deleted = self.repository.delete(*id).await;
        deleted.map_err(|error| PhaseTwoError::give_up(format!("{}: {error}", branch.action())))
    }

    /// Transactional itself, in the participant's own block.
    #[global_transactional(settle = "10s")]
    async fn create_all<'a, I>(&self, orders: I) -> Result<Vec<u64>, ServiceError<R::Error>>
    where
        I: IntoIterator<Item = &'a Order, IntoIter: Send> + Send,
    {
        let mut ids = Vec::new();
        for order in orders {
            ids.push(self.create(order).await?);
        }
        Ok(ids)
    }
}

/// Two orders, and no more.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<BTreeMap<u64, (Order, bool)>>>);

impl Shelf {
    fn all(&self) -> Vec<(u64, bool)> {
        let orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders
            .iter()
            .map(|(id, (_, is_public))| (*id, *is_public))
            .collect()
    }
}

impl Repository for Shelf {
    type Error = Full;

    async fn insert(&self, order: Order) -> Result<u64, Full> {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = u64::try_from(orders.len()).map_err(|_| Full)?;
        if id == 2 {
            return Err(Full);
        }
        orders.insert(id, (order, false));
        Ok(id)
    }

    async fn publish(&self, id: u64) -> Result<(), Full> {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.get_mut(&id).ok_or(Full)?.1 = true;
        Ok(())
    }

    async fn delete(&self, id: u64) -> Result<(), Full> {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.remove(&id).map(drop).ok_or(Full)
    }
}

/// Nothing is stored, and nothing can fail.
struct Nowhere;

impl Repository for Nowhere {
    type Error = Infallible;

    async fn insert(&self, order: Order) -> Result<u64, Infallible> {
        Ok(order.count.into())
    }

    async fn publish(&self, _: u64) -> Result<(), Infallible> {
        Ok(())
    }

    async fn delete(&self, _: u64) -> Result<(), Infallible> {
        Ok(())
    }
}

fn order(sku: &str) -> Order {
    let sku = sku.to_owned();
    Order { sku, count: 3 }
}

#[tokio::test]
async fn a_generic_participant_commits_and_rolls_back() {
    let shelf = Shelf::default();
    let orders = Arc::new(Orders {
        repository: shelf.clone(),
    });
    let runtime = started(|builder| builder.participant(orders.clone())).await;
    let two = [order("tea"), order("milk")];
    assert!(matches!(
        ended(&runtime, orders.create_all(&two)).await.as_deref(),
        Ok([0, 1])
    ));
    assert_eq!(shelf.all(), [(0, true), (1, true)]);

    let shelf = Shelf::default();
    let orders = Arc::new(Orders {
        repository: shelf.clone(),
    });
    let runtime = started(|builder| builder.participant(orders.clone())).await;
    let three = vec![order("tea"), order("milk"), order("bread")];
    let refused = ended(&runtime, orders.create_all(&three)).await;
    assert!(matches!(refused, Err(ServiceError::Repository(Full))));
    assert_eq!(shelf.all(), []);
}

#[tokio::test]
async fn a_generic_participant_runs_over_a_mock() {
    let orders = Arc::new(Orders {
        repository: Nowhere,
    });
    let runtime = started(|builder| builder.participant(orders.clone())).await;
    let made = ended(&runtime, orders.create_all(&[order("tea")])).await;
    assert!(matches!(made.as_deref(), Ok([3])));
}

/// What others call: neither a transaction nor a participant is seen.
#[async_trait]
trait Account: Send + Sync {
    async fn debit(&self, user: &str, amount: i64) -> anyhow::Result<i64>;

    /// A default body, which calls the action.
    async fn debit_twice(&self, user: &str, amount: i64) -> anyhow::Result<i64> {
        self.debit(user, amount).await?;
        self.debit(user, amount).await
    }
}

struct Accounts {
    journal: Journal,
}

#[participant(name = "account")]
#[async_trait]
impl Account for Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, user: &str, amount: i64) -> anyhow::Result<i64> {
        anyhow::ensure!(amount < 10, "{user} cannot pay {amount}");
        self.journal.write(format!("{user} holds {amount}"));
        Ok(10 - amount)
    }

    async fn confirm(&self, user: String, amount: i64) -> anyhow::Result<()> {
        self.journal.write(format!("{user} paid {amount}"));
        Ok(())
    }

    async fn cancel(&self, user: String, amount: i64) -> anyhow::Result<()> {
        self.journal.write(format!("{user} has {amount} back"));
        Ok(())
    }
}

#[derive(Clone)]
struct Service {
    accounts: Vec<Arc<dyn Account>>,
}

impl Service {
    #[global_transactional]
    async fn pay(self: Arc<Self>, amounts: &[i64]) -> anyhow::Result<i64> {
        let mut left = 0;
        for (account, amount) in self.accounts.iter().zip(amounts) {
            left = account.debit_twice("ada", *amount).await?;
        }
        Ok(left)
    }
}

#[tokio::test]
async fn a_participant_behind_a_trait_object_commits_and_rolls_back() {
    let journal = Journal::default();
    let accounts = Arc::new(Accounts {
        journal: journal.clone(),
    });
    let runtime = started(|builder| builder.participant(accounts.clone())).await;
    let accounts: Arc<dyn Account> = accounts;
    let service = Arc::new(Service {
        accounts: vec![accounts.clone(), accounts],
    });

    let left = ended(&runtime, service.clone().pay(&[1, 2])).await;
    assert_eq!(left.ok(), Some(8));
    let lines = journal.take();
    assert_eq!(lines.iter().filter(|line| line.contains("paid")).count(), 4);

    let refused = ended(&runtime, service.pay(&[1, 20])).await;
    assert_eq!(refused.unwrap_err().to_string(), "ada cannot pay 20");
    let back = ["ada has 1 back"; 2].into_iter().chain(["ada has 20 back"]);
    let tried = ["ada holds 1"; 2];
    assert_eq!(journal.take(), back.chain(tried).collect::<Vec<_>>());
}

/// Answers what the test tells it to.
struct Mock(Option<i64>);

#[async_trait]
impl Account for Mock {
    async fn debit(&self, _: &str, _: i64) -> anyhow::Result<i64> {
        self.0.ok_or_else(|| anyhow::anyhow!("no money"))
    }
}

#[tokio::test]
async fn the_same_service_is_tested_with_mocks() {
    for (answer, commits) in [(Some(7), true), (None, false)] {
        let accounts: Vec<Arc<dyn Account>> = vec![Arc::new(Mock(answer))];
        let service = Arc::new(Service { accounts });
        let (result, decided) = without_coordinator(service.pay(&[1])).await;
        assert_eq!(result.ok(), answer);
        assert_eq!(decided.len(), 1);
        assert_eq!(decided[0].is_commit(), commits);
    }
}

/// A transactional method whose error and value are types of its trait, and which has a default.
#[async_trait]
trait Checkout: Sync {
    type Receipt: Send;
    type Error: FromTransactionError + From<ServiceError<Full>> + Send;

    fn orders(&self) -> &Orders<Shelf>;
    fn receipt(&self, ids: Vec<u64>) -> Result<Self::Receipt, Self::Error>;

    #[global_transactional]
    async fn buy(&self, orders: &[Order]) -> Result<Self::Receipt, Self::Error> {
        let ids = self.orders().create_all(orders).await?;
        self.receipt(ids)
    }

    async fn buy_one(&self, order: Order) -> Result<Self::Receipt, Self::Error>;
}

struct Counter(Arc<Orders<Shelf>>);

#[async_trait]
impl Checkout for Counter {
    type Receipt = (usize, u64);
    type Error = ServiceError<Full>;

    fn orders(&self) -> &Orders<Shelf> {
        &self.0
    }

    fn receipt(&self, ids: Vec<u64>) -> Result<Self::Receipt, Self::Error> {
        let last = ids.last().ok_or(ServiceError::Repository(Full))?;
        Ok((ids.len(), *last))
    }

    #[global_transactional(commit_on(Self::Error::Repository(_) if false), settle = "10s")]
    async fn buy_one(&self, order: Order) -> Result<Self::Receipt, Self::Error> {
        let id = self.0.create(&order).await?;
        self.receipt([id].repeat(usize::from(order.count > 0)))
    }
}

#[tokio::test]
async fn methods_whose_types_are_of_their_trait_commit_and_roll_back() {
    let shelf = Shelf::default();
    let orders = Arc::new(Orders {
        repository: shelf.clone(),
    });
    let runtime = started(|builder| builder.participant(orders.clone())).await;
    let counter = Counter(orders);
    let bought = ended(&runtime, counter.buy_one(order("tea"))).await;
    assert!(matches!(bought, Ok((1, 0))));
    let nothing = Order {
        count: 0,
        ..order("tea")
    };
    assert!(ended(&runtime, counter.buy_one(nothing)).await.is_err());
    assert_eq!(shelf.all(), [(0, true)]);
    let bought = ended(&runtime, counter.buy(&[order("milk")])).await;
    assert!(matches!(bought, Ok((1, 1))));
    assert!(ended(&runtime, counter.buy(&[])).await.is_err());
    assert_eq!(shelf.all(), [(0, true), (1, true)]);
}
