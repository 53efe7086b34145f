//! The annotations of Unanimous.
//!
//! Applications use them through the crate `unanimous`, which re-exports them together with their
//! manual. Every annotation is a pipeline of four stages, one file each: `args` (what may be
//! written in the parentheses), `model` (what it means once checked), `validate` (rules across
//! arguments and signature) and `expand` (model in, tokens out; cannot fail).

// The documentation stands on the re-exports, where examples can use the runtime.
#![allow(missing_docs)]

mod diagnostics;
mod global_transactional;
mod hygiene;
mod participant;
mod syntax;
mod two_phase_action;

#[cfg(test)]
mod manual;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod snapshots;

use proc_macro::TokenStream;

#[proc_macro_attribute]
pub fn global_transactional(args: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::guarded(
        "global_transactional",
        args,
        item,
        global_transactional::expand,
    )
}

#[proc_macro_attribute]
pub fn participant(args: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::guarded("participant", args, item, participant::expand)
}

#[proc_macro_attribute]
pub fn two_phase_action(args: TokenStream, item: TokenStream) -> TokenStream {
    diagnostics::guarded(
        "two_phase_action",
        args,
        item,
        two_phase_action::expand_alone,
    )
}
