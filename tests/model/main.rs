//! The commit protocol, searched: the product's own deciders in small worlds.
//!
//! ```text
//!  Manager (calls, Asking) ──commit, rollback──▶ Coordinator (decide, log) ◀─crash, sync, timers
//!     ▲ answers              ◀──decisions──            │ ▲ registrations, results, questions
//!     │                                      phase two ▼ │ horizons, answers
//!  Database × 2 or 3 (fence table, one row each) ◀── any message ever sent, in any order
//! ```
//!
//! One transaction makes two calls, one after the other. The network is the set of all messages
//! ever sent: each arrives never, once, often, at any time. Participants keep nothing but their
//! database and so may crash between any two steps. The coordinator crashes as often as its scope
//! says, keeping a prefix or any subset of what was not forced, and its deadline, its horizon and
//! an operator strike at any moment. [`scope`] lists what a search may add.
//!
//! The try of a branch that is always cancelled (T7) may also fail after it did something outside its
//! database; that it is cancelled all the same belongs to G6.
//!
//! Checked in every state (`step`, `broken_in`): G1 to G5, G11, G12, T1 to T3, T5, C1. Checked in
//! one of sixteen states, chosen by their contents, by one fair continuation each (`recovery`): G6
//! and G8. In searches for a mutant that only G6 finds, every state is checked.
//!
//! Not covered here: several transactions at once, calls in parallel, calls through a third
//! service, restored logs and databases (N1, RM10, TC14, OP5), written-off databases (OP4), N6's
//! list with several transactions. The deciders' own tests cover their rules.

mod check;
mod coordinator;
mod kept;
mod manager;
mod memo;
mod mutants;
mod names;
mod participant;
mod reached;
mod recovery;
mod scope;
mod step;
mod world;
