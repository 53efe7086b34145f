//! Items that macros of another crate write, where no name of that crate's or ours is in scope.

use crate::Counts;

/// Shadows what the macros' crate calls ours.
mod tx {}

unanimous_hygiene_tests::ledger! {
    /// A participant.
    #[derive(Debug)]
    pub(crate) struct Till { pool, counts: Counts }
    "till", hold(amount: u64), Option<&str>
}

unanimous_hygiene_tests::transactional! {
    /// Sells.
    sell(order: (&Till, bool)) -> u64 {
        let (till, fails) = order;
        let held = till.hold(7, Some("memo")).await?;
        if fails {
            return Err(::tx::Error::ShuttingDown);
        }
        Ok(held)
    }
}

/// Calls it.
pub(crate) async fn run(till: &Till, fails: bool) -> bool {
    sell((till, fails)).await.is_ok()
}
