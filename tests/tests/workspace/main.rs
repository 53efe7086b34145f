//! What must hold for the tree as a whole: which crate may use which, what they ask of others, how
//! files are kept, and what the documentation shows.

mod examples;
mod files;
mod futures;
mod graph;
mod lists;
mod metadata;
