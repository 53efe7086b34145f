//! In-process services.
