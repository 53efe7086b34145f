//! What counts as saying what to write, and which errors rustc words or repeats.

/// One of these stands in every message that says what to write instead.
const FIXES: &[&str] = &[
    "= none",
    "accepted are",
    "accepts",
    "add",
    "annotate",
    "at most",
    "consider",
    "did you mean",
    "expected",
    "give",
    "hold",
    "is named in",
    "is written",
    "keep",
    "leave",
    "list",
    "make",
    "mark",
    "must not",
    "name",
    "needs",
    "other methods are",
    "phase two has",
    "prefix it",
    "put",
    "remove",
    "return",
    "returns",
    "say",
    "similar name",
    "stands on",
    "take",
    "takes",
    "use",
    "write",
];

/// Whether the text says what to write. Code, places and what other types have are no advice.
pub(crate) fn says_what_to_write(text: &str) -> bool {
    let said = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with(|first: char| first.is_ascii_digit())
            && !line.starts_with("-->")
            && !line.contains("required by a bound")
            && !line.contains("this error originates")
            && !line.contains("the following other types")
    });
    said.map(str::to_lowercase)
        .any(|line| FIXES.iter().any(|fix| has_words(&line, fix)))
}

/// Whether the words stand there by themselves, not as a part of others and not as code.
fn has_words(line: &str, words: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '`';
    line.match_indices(words).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + words.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

/// Errors that rustc words, without advice: the case, and what is said. Most are said of plain
/// functions too; the others are about what only rustc knows.
pub(crate) const OF_RUSTC: &[(&str, &str)] = &[
    // Bodies, as in plain functions.
    (
        "global_transactional/borrow_in_body",
        "value borrowed here after move",
    ),
    (
        "global_transactional/borrow_in_body",
        "immutable borrow later used here",
    ),
    (
        "global_transactional/type_not_found",
        "cannot find type `Order` in this scope",
    ),
    (
        "global_transactional/type_not_found",
        "cannot find value `Order` in this scope",
    ),
    (
        "two_phase_action/transaction_kept",
        "lifetime may not live long enough",
    ),
    (
        "two_phase_action/transaction_used_twice",
        "second mutable borrow occurs here",
    ),
    // Lints and other macros, as on plain functions.
    (
        "global_transactional/never_used",
        "methods `purchase` and `helper` are never used",
    ),
    (
        "two_phase_action/never_used",
        "methods `prepare` and `helper` are never used",
    ),
    (
        "two_phase_action/instrument_skips_transaction",
        "attempting to skip non-existent parameter",
    ),
    // Names and types that only rustc can look up.
    (
        "participant/crate_is_another",
        "could not find `crate_must_name_the_crate_unanimous` in `tokio`",
    ),
    (
        "participant/fence_field_not_found",
        "available field is: `db`",
    ),
    (
        "participant/foreign_type",
        "only traits defined in the current crate can be implemented",
    ),
    (
        "participant/not_send",
        "`Rc<str>` cannot be shared between threads safely",
    ),
    (
        "participant/not_send",
        "`Rc<str>` cannot be sent between threads safely",
    ),
    (
        "participant/second_block",
        "conflicting implementations of trait `unanimous::Participant`",
    ),
    (
        "participant/trait_without_send_futures",
        "`Send` can be made part of the associated future's guarantees",
    ),
    (
        "two_phase_action/associated_function_outside_participant",
        "two_phase_action_in_an_impl_block_needs_participant_above_it",
    ),
    (
        "two_phase_action/function_crate_path_not_found",
        "could not find `transactions` in the crate root",
    ),
    (
        "two_phase_action/function_list_names_no_item",
        "cannot find value `RATE` in this scope",
    ),
    (
        "two_phase_action/function_list_names_no_item",
        "cannot find value `amuont` in this scope",
    ),
    (
        "two_phase_action/function_partner_not_send",
        "has type `Rc<i64>` which is not `Send`",
    ),
    (
        "two_phase_action/function_partner_takes_other_types",
        "argument #2 of type `i64` is missing",
    ),
    (
        "two_phase_action/partner_not_send",
        "has type `Rc<&str>` which is not `Send`",
    ),
];

/// Mistakes that rustc tells more than once: the case, how many errors it reports, and why no
/// macro can help.
pub(crate) const REPEATED: &[(&str, usize, &str)] = &[
    (
        "participant/foreign_type",
        4,
        "that the type is foreign only rustc knows; it refuses both impls, and then does not find the \
         partners, which are methods of it",
    ),
    (
        "participant/generic_trait_without_static",
        4,
        "what a trait of the user's implies only rustc knows; it tells a lifetime of the type and of \
         its parameter at the impl, and where a method lends `self` to the runtime",
    ),
    (
        "participant/not_send",
        3,
        "rustc tells each of `Send` and `Sync` of whatever implements a trait that has both; ours, \
         which says what to hold instead, keeps it from telling them of every future too",
    ),
    (
        "participant/not_sync",
        2,
        "as `not_send`: rustc says which field it is, ours what to hold instead",
    ),
    (
        "two_phase_action/associated_function_outside_participant",
        2,
        "without `self` nothing shows where the function stands; that no item can stand beside it \
         there rustc tells before the macro whose name says what to write",
    ),
];

/// Cases without a function `caller`, and why.
pub(crate) const WITHOUT_CALLER: &[(&str, &str)] = &[
    (
        "global_transactional/never_used",
        "the mistake is that nobody calls it",
    ),
    (
        "two_phase_action/never_used",
        "the mistake is that nobody calls it",
    ),
];
