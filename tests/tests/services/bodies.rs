//! What bodies are made of: errors of every kind, control flow, items, recursion, and futures that
//! stay on their thread.

use std::cell::RefCell;
use std::fmt::Debug;
use std::io;
use std::num::ParseIntError;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Context as _;
use unanimous::{Error, FromTransactionError, global_transactional, participant};

use crate::{Journal, ended, started};

#[derive(Clone)]
struct Stock {
    journal: Journal,
}

#[derive(Debug, thiserror::Error)]
enum StockError {
    #[error("{0} is sold out")]
    SoldOut(String),
    #[error(transparent)]
    Transaction(#[from] Error),
}

#[participant(name = "stock", any_instance)]
impl Stock {
    #[two_phase_action(commit = sell, rollback = put_back)]
    async fn take(&self, sku: &str, count: u32) -> Result<u32, StockError> {
        #![allow(clippy::manual_range_contains, reason = "an inner attribute")]
        let 1..=9 = count else {
            return Err(StockError::SoldOut(sku.to_owned()));
        };
        if count >= 5 && count <= 6 {
            return Ok(count + 1);
        }
        Ok(count)
    }

    async fn sell(&self, sku: &str, count: u32) -> Result<(), String> {
        self.journal.write(format!("+{count} {sku}"));
        Ok(())
    }

    async fn put_back(&self, sku: &str, count: u32) -> Result<(), String> {
        self.journal.write(format!("-{count} {sku}"));
        Ok(())
    }
}

/// Told with `anyhow`, with what was being done.
#[global_transactional]
async fn with_context(stock: &Stock, count: &str) -> anyhow::Result<u32> {
    let count: u32 = count
        .parse()
        .with_context(|| format!("{count:?} is no count"))?;
    let taken = stock.take("tea", count).await.context("taking tea")?;
    anyhow::ensure!(taken != 4, "four is too many");
    Ok(taken)
}

/// Told by an error of the standard library, which cannot hold ours.
#[global_transactional(map_err = io::Error::other)]
async fn of_the_standard_library(stock: &Stock, count: u32) -> io::Result<u32> {
    stock.take("milk", count).await.map_err(io::Error::other)
}

/// Any error that can hold ours.
#[global_transactional]
async fn of_any_error<E>(stock: &Stock, count: &str) -> Result<u32, E>
where
    E: FromTransactionError + From<StockError> + From<ParseIntError>,
{
    Ok(stock.take("bread", count.parse()?).await?)
}

/// Items, labels, loops, closures and conditions.
#[global_transactional]
async fn with_items(stock: &Stock, counts: &[u32]) -> Result<u32, StockError> {
    #![allow(clippy::items_after_statements)]
    use std::ops::Add;
    const NONE: u32 = 0;
    struct Sum<T>(T);
    impl<T: Add<Output = T> + Copy> Sum<T> {
        fn add(&mut self, other: T) {
            self.0 = self.0 + other;
        }
    }
    macro_rules! taken {
        ($count:expr) => {
            match stock.take("eggs", $count).await {
                Ok(taken) => taken,
                Err(error) => return Err(error),
            }
        };
    }

    let mut sum = Sum(NONE);
    'counts: for &count in counts {
        let double = async |count: u32| -> Result<u32, StockError> {
            stock.take("ham", count).await?;
            Ok(count * 2)
        };
        if count == 7 {
            continue 'counts;
        }
        if count == 8 {
            break 'counts;
        }
        sum.add(match count {
            NONE => taken!(10),
            1 | 2 => taken!(count),
            _ if count % 2 == 0 => double(count).await?,
            _ => {
                let value = async { Ok::<_, StockError>(taken!(count)) };
                value.await?
            }
        });
    }
    Ok(sum.0)
}

/// Calls itself, each time a scope of its own.
#[global_transactional]
async fn categories(stock: &Stock, tree: &[(u32, &[u32])]) -> Result<u32, StockError> {
    fn below<'a>(
        stock: &'a Stock,
        counts: &'a [u32],
    ) -> impl Future<Output = Result<u32, StockError>> + Send + 'a {
        one(stock, counts)
    }

    #[global_transactional(propagation = mandatory)]
    async fn one(stock: &Stock, counts: &[u32]) -> Result<u32, StockError> {
        let Some((count, rest)) = counts.split_first() else {
            return Ok(0);
        };
        let taken = stock.take("leaf", *count).await?;
        Ok(taken + Box::pin(below(stock, rest)).await?)
    }

    let mut sum = 0;
    for (count, leaves) in tree {
        sum += stock.take("branch", *count).await? + below(stock, leaves).await?;
    }
    Ok(sum)
}

/// Stays on its thread.
#[global_transactional]
async fn on_one_thread(
    stock: Rc<Stock>,
    log: &RefCell<Vec<u32>>,
    counts: impl IntoIterator<Item = u32, IntoIter: Debug>,
) -> Result<Rc<Stock>, Box<dyn std::error::Error>> {
    let counts = counts.into_iter();
    for count in counts {
        let taken = stock.take("tea", count).await?;
        log.borrow_mut().push(taken);
    }
    if log.borrow().len() > 2 {
        Err("too many")?;
    }
    Ok(stock)
}

/// Never returns a value.
#[global_transactional]
async fn only_fails(stock: &Stock) -> Result<std::convert::Infallible, StockError> {
    loop {
        let taken = stock.take("tea", 1).await?;
        if taken == 1 {
            break Err(StockError::SoldOut("all".into()));
        }
    }
}

#[tokio::test]
async fn bodies_of_every_kind_commit_and_roll_back() {
    let journal = Journal::default();
    let stock = Stock {
        journal: journal.clone(),
    };
    let runtime = started(|builder| builder.participant(Arc::new(stock.clone()))).await;

    assert_eq!(
        ended(&runtime, with_context(&stock, "3")).await.ok(),
        Some(3)
    );
    assert_eq!(journal.take(), ["+3 tea"]);
    let error = ended(&runtime, with_context(&stock, "30"))
        .await
        .unwrap_err();
    assert_eq!(format!("{error:#}"), "taking tea: tea is sold out");
    assert!(ended(&runtime, with_context(&stock, "4")).await.is_err());
    assert!(ended(&runtime, with_context(&stock, "four")).await.is_err());
    assert_eq!(journal.take(), ["-30 tea", "-4 tea"]);

    assert_eq!(
        ended(&runtime, of_the_standard_library(&stock, 5))
            .await
            .ok(),
        Some(6)
    );
    assert!(
        ended(&runtime, of_the_standard_library(&stock, 10))
            .await
            .is_err()
    );
    assert_eq!(journal.take(), ["+5 milk", "-10 milk"]);
    assert!(
        of_the_standard_library(&stock, 5)
            .await
            .unwrap_err()
            .to_string()
            .contains("runtime")
    );

    let any = ended(&runtime, of_any_error::<anyhow::Error>(&stock, "2")).await;
    assert_eq!(any.ok(), Some(2));
    let any = of_any_error::<Box<dyn std::error::Error>>(&stock, "0");
    assert!(ended(&runtime, any).await.is_err());
    assert_eq!(journal.take(), ["+2 bread", "-0 bread"]);

    assert_eq!(
        ended(&runtime, with_items(&stock, &[1, 4, 7, 3, 8, 2]))
            .await
            .ok(),
        Some(12)
    );
    assert_eq!(journal.take(), ["+1 eggs", "+3 eggs", "+4 ham"]);
    assert!(ended(&runtime, with_items(&stock, &[1, 0])).await.is_err());
    assert_eq!(journal.take(), ["-1 eggs", "-10 eggs"]);
}

#[tokio::test]
async fn recursion_commits_and_rolls_back() {
    let journal = Journal::default();
    let stock = Stock {
        journal: journal.clone(),
    };
    let runtime = started(|builder| builder.participant(Arc::new(stock.clone()))).await;
    let tree: [(u32, &[u32]); 2] = [(1, &[2, 3]), (4, &[])];
    assert_eq!(
        ended(&runtime, categories(&stock, &tree)).await.ok(),
        Some(10)
    );
    assert_eq!(
        journal.take(),
        ["+1 branch", "+2 leaf", "+3 leaf", "+4 branch"]
    );
    let tree: [(u32, &[u32]); 1] = [(1, &[2, 30])];
    assert!(ended(&runtime, categories(&stock, &tree)).await.is_err());
    assert_eq!(journal.take(), ["-1 branch", "-2 leaf", "-30 leaf"]);
}

#[tokio::test]
async fn futures_that_stay_on_a_thread_commit_and_roll_back() {
    let journal = Journal::default();
    let stock = Rc::new(Stock {
        journal: journal.clone(),
    });
    let provided = Arc::new(Stock {
        journal: journal.clone(),
    });
    let runtime = started(|builder| builder.participant(provided)).await;
    let log = RefCell::default();
    let kept = ended(&runtime, on_one_thread(stock.clone(), &log, [1, 2])).await;
    assert!(kept.is_ok_and(|kept| Rc::ptr_eq(&kept, &stock)));
    assert_eq!(journal.take(), ["+1 tea", "+2 tea"]);
    let error = ended(&runtime, on_one_thread(stock.clone(), &log, [3])).await;
    assert_eq!(
        error.err().map(|error| error.to_string()).as_deref(),
        Some("too many")
    );
    assert!(matches!(
        ended(&runtime, only_fails(&stock)).await,
        Err(StockError::SoldOut(_))
    ));
    assert_eq!(journal.take(), ["-1 tea", "-3 tea"]);
}
