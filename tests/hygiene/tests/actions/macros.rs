//! Actions that macros of another crate write, where no name of that crate's or ours is in scope.

use std::sync::Arc;

use crate::Counts;

/// Shadows what the macros' crate calls ours.
mod tx {}

unanimous_hygiene_tests::held! {
    /// Holds an amount.
    hold(db, counts: Counts, user: &str, amount: u64) -> u64
}

unanimous_hygiene_tests::jotted! {
    /// Jots something down.
    jot(counts: Counts, word: &str)
}

unanimous_hygiene_tests::shelf! {
    /// A participant.
    #[derive(Debug)]
    pub(crate) struct Shelf { counts: Counts }
    take(article: &str) as "sku", keeps code: u8
}

unanimous_hygiene_tests::transactional! {
    /// Sells.
    sell(order: (&Shelf, bool)) -> u64 {
        let (shelf, fails) = order;
        let held = hold("ann", 7).await?;
        jot("note").await?;
        shelf.take("tea", 7).await?;
        shelf.remember(&[1]).await?;
        if fails {
            return Err(::tx::Error::ShuttingDown);
        }
        Ok(held)
    }
}

/// Provides the actions.
pub(crate) fn provide(
    builder: ::tx::RuntimeBuilder,
    db: ::tx::sqlx::SqlitePool,
    counts: Counts,
) -> (::tx::RuntimeBuilder, Arc<Shelf>) {
    let shelf = Arc::new(Shelf {
        counts: counts.clone(),
    });
    let builder = builder.state(db).state(counts).action(hold).action(jot);
    (builder.participant(shelf.clone()), shelf)
}

/// Calls them.
pub(crate) async fn run(shelf: &Shelf, fails: bool) -> bool {
    sell((shelf, fails)).await.is_ok()
}
