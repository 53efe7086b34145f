//! `#[two_phase_action]`: phase one of a branch, and the methods that end it in phase two.
//!
//! On a method the attribute is read by `#[participant]`, which sees all methods of the impl block. Where it
//! is expanded by itself, the function is a free one, or that annotation is missing.

mod alone;
pub(crate) mod args;
pub(crate) mod expand;
pub(crate) mod free;
mod matching;
pub(crate) mod model;
pub(crate) mod partner;
pub(crate) mod validate;

pub(crate) use alone::expand_alone;

use syn::Attribute;

/// Whether this is our attribute, under its own name and whatever path.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    attr.path()
        .segments
        .last()
        .is_some_and(|last| last.ident == "two_phase_action")
}
