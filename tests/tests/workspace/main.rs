//! What must hold for the tree as a whole: which crate may use which, what they ask of others, and
//! how files are kept.

mod files;
mod graph;
mod lists;
mod metadata;
