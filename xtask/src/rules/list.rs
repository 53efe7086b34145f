//! The rules of the commit protocol that a test must name, each in one line.

/// A numbered rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
}

const fn rule(id: &'static str, title: &'static str) -> Rule {
    Rule { id, title }
}

/// Rules that need no test, each with the reason.
pub(crate) const EXEMPT: &[(&str, &str)] = &[
    (
        "E1",
        "an assumption about the network; the model loses, repeats and reorders every message",
    ),
    (
        "E2",
        "an assumption about the disk; the model keeps any prefix of what was not forced",
    ),
];

/// All rules, in the order of the protocol.
#[rustfmt::skip] // One line each, so that the list reads as a list.
pub(crate) const RULES: &[Rule] = &[
    rule("E1", "messages may be lost, repeated, reordered or late; clocks never decide an answer"),
    rule("E2", "a forced record survives a crash, of the others any prefix may"),
    rule("E3", "a participant's local commit is durable when it returns, checked at start"),
    rule("E4", "after a failed write or sync the process answers nothing more"),

    rule("N1", "each start of a coordinator has an incarnation of its own, forced before any answer"),
    rule("N2", "an xid is an incarnation and a counter"),
    rule("N3", "a call id is a path: a repeated parent repeats the ids of its children"),
    rule("N4", "a branch is bound by its first registration; a repeat that differs is refused"),
    rule("N5", "a resource is a participant's name and its database's identity"),
    rule("N6", "only the horizon tells what was forgotten from what was never decided"),

    rule("TM1", "each call has one record, settled by header, mark, status or their absence"),
    rule("TM2", "commit is asked only when no call runs or failed, and names what succeeded"),
    rule("TM3", "rollback may be asked at any time, also after commit"),
    rule("TM4", "only the coordinator's word makes an outcome; silence is unknown"),
    rule("TM5", "a success without header gives no names; a joined scope never decides"),

    rule("TC1", "start locks, reads, cuts a torn tail and forces its incarnation before it serves"),
    rule("TC2", "a transaction without commit record dies with its incarnation"),
    rule("TC3", "begin is written lazily and starts one timer"),
    rule("TC4", "branches register while the transaction is open; forced kinds wait for the disk"),
    rule("TC5", "one compare-and-set decides among commit, rollback, timeout and operator"),
    rule("TC6", "commit is accepted only when what succeeded and what was abandoned explain what joined"),
    rule("TC7", "nobody is told anything while the decision is being forced"),
    rule("TC8", "a durable commit goes to what succeeded, rollback to what else joined"),
    rule("TC9", "a rollback is written lazily and told at once"),
    rule("TC10", "phase two repeats until the participant says that the branch ended"),
    rule("TC11", "transactions are forgotten only by one atomic record that moves the horizon"),
    rule("TC12", "a rolled-back transaction of lazy branches may leave memory at once"),
    rule("TC13", "what is answered about a transaction, in every state"),
    rule("TC14", "a coordinator that is shown a later incarnation of its own log stops"),

    rule("RM1", "malformed headers and foreign xids are refused before any effect"),
    rule("RM2", "a branch answers its caller only once it is registered"),
    rule("RM3", "fence row, business and stored answer are one local transaction"),
    rule("RM4", "the fence row decides what an event does; a participant never decides by itself"),
    rule("RM5", "the end is reported only after the local commit"),
    rule("RM6", "a tried row whose decision was not heard asks, at attach and periodically"),
    rule("RM7", "an answer to a question acts only on a row that is still tried"),
    rule("RM8", "ended rows are cleaned only by an announced horizon, stored with the deletion"),
    rule("RM9", "a confirm without a row above the local horizon is missing, never done"),
    rule("RM10", "an attaching participant shows what it has seen, so that a restore is noticed"),

    rule("OP1", "an operator may roll an open transaction back, never commit it"),
    rule("OP2", "an operator may retry a branch or give it up"),
    rule("OP3", "a branch resolved by hand is ended at its participant, without business code"),
    rule("OP4", "a written-off branch keeps its commit record for ever"),
    rule("OP5", "after a restore a foreign xid is decided by hand, forced"),
];
