//! What the annotations have in common: how arguments, functions, impl blocks and types are read.

pub(crate) mod annotated_fn;
pub(crate) mod arguments;
pub(crate) mod async_fn;
pub(crate) mod duration;
mod hints;
pub(crate) mod impl_block;
pub(crate) mod parameter;
pub(crate) mod public_shape;
pub(crate) mod return_type;
pub(crate) mod types;
