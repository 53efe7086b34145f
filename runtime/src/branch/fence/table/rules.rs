use std::fmt::Debug;
use std::hash::Hash;

/// Which rules the decider keeps. Product code uses [`All`]; the model drops one at a time and must
/// find the history that goes wrong.
#[doc(hidden)]
pub trait Rules: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// T3: a rollback without row leaves a marker.
    const CANCEL_LEAVES_MARKER: bool = true;
    /// T1: a try that meets a cancelled row is refused.
    const TRY_HEEDS_MARKER: bool = true;
    /// G4: a repeated confirm does not run the business function again.
    const CONFIRM_RUNS_ONCE: bool = true;
    /// RM6: rows in doubt are asked about.
    const ASKS_IN_DOUBT: bool = true;
    /// RM7: the answer to a question acts only on a tried row.
    const ANSWERS_ACT_ONLY_ON_TRIED: bool = true;
    /// RM8: only ended rows are cleaned.
    const CLEANS_ONLY_ENDED: bool = true;
    /// RM8: rows are cleaned only once the horizon has passed them.
    const CLEANS_BY_HORIZON: bool = true;
    /// RM8: a try at or below the local horizon is refused.
    const TRY_HEEDS_HORIZON: bool = true;
    /// RM9: a confirm without row is missing, not done.
    const MISSING_IS_NOT_DONE: bool = true;
    /// T7: with `always_cancel` a rollback without row runs the business function.
    const CANCELS_WITHOUT_ROW: bool = true;
}

/// Every rule is kept.
#[doc(hidden)]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct All;

impl Rules for All {}
