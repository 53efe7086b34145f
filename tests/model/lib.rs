//! The model is a test: see `main.rs`.
