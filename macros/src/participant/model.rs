//! What a participant means once it is checked.

use std::collections::BTreeSet;

use syn::Expr;

use crate::hygiene::CratePath;
use crate::two_phase_action::model::{Action, Fence};

/// A participant: an impl block with at least one action.
pub(crate) struct Model {
    pub(crate) name: Expr,
    /// The expression that leads to its pool.
    pub(crate) fence: Option<Fence>,
    /// Whether actions run on any instance of the type.
    pub(crate) any_instance: bool,
    /// In the order of the impl block.
    pub(crate) actions: Vec<Action>,
    /// Methods that actions name; in a trait's impl they cannot stay.
    pub(crate) partners: BTreeSet<String>,
    pub(crate) krate: CratePath,
}
