//! What the services of the shop say to one another: generated from `proto/shop/v1/shop.proto` and
//! checked in, so that nobody needs a generator to build. `cargo xtask codegen` regenerates it.

/// The messages, clients and servers.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "generated; the definition explains them"
)]
pub mod v1 {
    include!("generated/shop.v1.rs");
}
