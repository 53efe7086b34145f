//! One account service twice: guarded by hand with a freeze table, as tutorials of the pattern do
//! it, and behind a fence.

pub mod by_hand;
pub mod fenced;

/// Why an account refuses.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is not enough money.
    #[error("{user} does not have {money}")]
    NotEnough {
        /// Who.
        user: String,
        /// How much was asked for.
        money: i64,
    },
    /// The try came after its cancel.
    #[error("this deduction was cancelled before it arrived")]
    AlreadyCancelled,
    /// It was called outside the action.
    #[error("nothing tells which branch this is")]
    NoBranch,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The transaction itself failed.
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}
