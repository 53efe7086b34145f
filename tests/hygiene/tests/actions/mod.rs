//! Free functions, and what actions may say about names, kept values and partners that are not
//! there. Each surrounding has two actions with both partners and two with one.

pub(crate) mod decoys;
pub(crate) mod macros;
pub(crate) mod plain;
pub(crate) mod without_prelude;
