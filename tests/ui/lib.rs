//! Annotated shapes that must compile without a warning, under the strictest lints. The mistakes, and
//! what the compiler says about them, are cases of `ui.rs`.

#![deny(warnings, clippy::all, clippy::pedantic, missing_docs)]

/// `#[global_transactional]`.
#[path = "global_transactional/pass"]
pub mod global_transactional {
    pub mod shadowed_names;
    pub mod strict_lints;
    pub mod without_prelude;
}

/// `#[participant]` and `#[two_phase_action]`.
#[path = "participant/pass"]
pub mod participant {
    pub mod shadowed_names;
    pub mod strict_lints;
    pub mod without_prelude;
}
