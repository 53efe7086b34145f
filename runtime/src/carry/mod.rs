//! The transaction across process edges.
//!
//! | you have | wrap it in | feature |
//! |---|---|---|
//! | an axum router or a tonic server | [`ServerLayer`] | `tower` |
//! | a tonic client, or any tower client over `http` | [`ClientLayer`] | `tower` |
//! | a reqwest client | [`ReqwestLayer`] | `reqwest` |
//! | a work queue, a thread pool | by hand: [`Context`], [`SentCall`], [`ReceivedCall`], [`traced`] | |
//!
//! A request inside a transaction carries `unanimous-call` (xid, call id, remaining time) and
//! `tx_xid`; its answer carries `unanimous-answer`: the branches that succeeded there, or the mark
//! that something failed. The server layer *always* answers so to a call that carried a
//! transaction; a missing header therefore means that there is no layer, and what joined there is
//! not named.
//!
//! The scope of a request ends with the response head. A streamed body runs outside it.
//!
//! A client layer goes outside any layer that repeats requests, so that repeats share one call id.
//!
//! <div class="warning">
//!
//! A handler that forwards a request never copies these headers: no `headers.clone()`, and no list of
//! headers to pass on that has `unanimous-call` or `tx_xid` in it. What it sends goes through a client
//! layer, which gives it a call id of its own and reads its answer, or carries no transaction.
//!
//! A copied header makes the forwarded request look like a second delivery of the handler's own call,
//! and no layer can tell it from one: a client that repeats a call sends the very same header. What
//! joins behind it is not named in the handler's answer, so the transaction rolls back
//! (`BranchesDiffer`); and where both services call the same action of one participant with the same
//! arguments, the second counts as a repeat of the first: one effect instead of two. A failure behind
//! it is not heard of either. A proxy that only passes on what it is sent, answer included, is no
//! handler, and does no harm.
//!
//! </div>
// Their table stays whole where some of the features, and what they bring, are left out.
#![cfg_attr(
    not(all(feature = "reqwest", feature = "tower")),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(
    all(
        feature = "embedded",
        feature = "reqwest",
        feature = "sqlite",
        feature = "tower"
    ),
    doc = include_str!("../docs/carry.md")
)]

mod by_hand;
mod trace;

#[cfg(any(feature = "reqwest", feature = "tower"))]
mod outgoing;

#[cfg(feature = "tower")]
mod client;
#[cfg(feature = "tower")]
mod incoming;
#[cfg(feature = "tower")]
mod server;
#[cfg(feature = "tower")]
mod strip;

#[cfg(feature = "reqwest")]
mod reqwest;

#[cfg(any(feature = "tonic", feature = "tower"))]
mod status;

#[cfg(all(test, feature = "tower"))]
mod tests;

pub use by_hand::{Answered, Context, ReceivedCall, SentCall};
pub use trace::traced;

#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestLayer;
#[cfg(feature = "tower")]
pub use client::{Carried, CarriedFuture, ClientLayer};
#[cfg(feature = "tower")]
pub use incoming::REFUSAL;
#[cfg(feature = "tower")]
pub use server::{Served, ServedFuture, ServerLayer};
#[cfg(feature = "tonic")]
pub use status::XID_METADATA;
#[cfg(feature = "tower")]
pub use strip::{StripIncoming, Stripped, strip_incoming};
