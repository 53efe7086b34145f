//! What must be told, and how.

/// Every mistake that was made while the macros were tried out: the case that shows it, and what
/// its message must say.
pub(crate) const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "a generic parameter of the method, or `impl Trait`",
        "two_phase_action/fail/parameter_generic",
        "Name a concrete type, or mark the parameter #[skip]",
    ),
    (
        "a pattern in place of a name",
        "two_phase_action/fail/parameter_pattern",
        "give this parameter a name: phase two receives it by name. Destructure it in the body",
    ),
    (
        "references inside a type",
        "two_phase_action/fail/parameter_nested_reference",
        "use owned values (`&[String]` instead of `&[&str]`), or mark it `#[skip]`",
    ),
    (
        "a partner's parameter that the action does not have",
        "two_phase_action/fail/partner_parameter_not_recorded",
        "`copies` is not a parameter of `prepare`, which records `to`, `pages`; a phase-two method \
         may also take `&BranchContext`",
    ),
    (
        "a partner's parameter that the action skips",
        "two_phase_action/fail/partner_parameter_skipped",
        "is marked `#[skip]` in `prepare`, so phase two does not have it",
    ),
    (
        "a misspelt partner",
        "two_phase_action/fail/partner_not_found",
        "no method `sent` in this impl block; a method with a similar name exists: `send`",
    ),
    (
        "a partner in quotes",
        "two_phase_action/fail/partner_in_quotes",
        "write the method itself, not its name in quotes: commit = send",
    ),
    (
        "a partner's parameter of another type",
        "two_phase_action/fail/partner_parameter_type",
        "expected `u32`, found `i64`",
    ),
    (
        "a parameter without serde",
        "two_phase_action/fail/parameter_without_serde",
        "or mark the parameter `#[skip]`: phase two goes without it then",
    ),
    (
        "a partner that returns nothing",
        "two_phase_action/fail/partner_returns_nothing",
        "a phase-two method returns `Result<(), E>`",
    ),
    (
        "a partner that returns something else",
        "two_phase_action/fail/partner_returns_no_unit_result",
        "a phase-two method returns `Result<(), E>`, not `Option<()>`",
    ),
    (
        "a partner that is not async",
        "two_phase_action/fail/partner_not_async",
        "a phase-two method is async: write `async fn send`",
    ),
    (
        "a partner whose future is not `Send`",
        "two_phase_action/fail/partner_not_send",
        "has type `Rc<&str>` which is not `Send`",
    ),
    (
        "a fence that is no pool",
        "participant/fail/not_a_fence",
        "needs a database pool, such as `sqlx::SqlitePool`",
    ),
    (
        "`&mut self`",
        "two_phase_action/fail/exclusive_self",
        "a participant is shared: take &self or self: Arc<Self>",
    ),
    (
        "`&mut self` in a partner",
        "two_phase_action/fail/partner_without_self",
        "a participant is shared: take &self or self: Arc<Self>",
    ),
    (
        "no transaction behind a fence",
        "two_phase_action/fail/fenced_without_transaction",
        "add `tx: &mut FenceTx<..>`",
    ),
    (
        "two transactions behind a fence",
        "two_phase_action/fail/fenced_with_two_transactions",
        "one `&mut` parameter is the fence's transaction; mark the other #[skip]",
    ),
    (
        "a transaction of another database",
        "two_phase_action/fail/transaction_of_another_type",
        "expected `&mut OtherTx<Sqlite>`, found `&mut FenceTx<Sqlite>`",
    ),
    (
        "a transaction used twice at a time",
        "two_phase_action/fail/transaction_used_twice",
        "cannot borrow `*tx` as mutable more than once at a time",
    ),
    (
        "a transaction kept beyond its phase",
        "two_phase_action/fail/transaction_kept",
        "lifetime may not live long enough",
    ),
    (
        "a caller that passes the transaction",
        "two_phase_action/fail/transaction_passed_by_caller",
        "help: remove the extra argument",
    ),
    (
        "`#[instrument(skip(tx))]`",
        "two_phase_action/fail/instrument_skips_transaction",
        "attempting to skip non-existent parameter",
    ),
    (
        "an action that nobody calls, and a method beside it",
        "two_phase_action/fail/never_used",
        "methods `prepare` and `helper` are never used",
    ),
    (
        "a transaction that nobody uses",
        "two_phase_action/fail/transaction_unused",
        "unused variable: `tx`",
    ),
    (
        "no #[participant] around it",
        "two_phase_action/fail/outside_participant",
        "add `#[participant(name = \"..\")]` above `impl`",
    ),
    (
        "a renamed import, and `cfg_attr`",
        "two_phase_action/fail/under_another_name",
        "not recognised under another name (`use .. as ..`) or inside `cfg_attr`",
    ),
    (
        "a type parameter that is not `Send + Sync`",
        "participant/fail/generic_without_bounds",
        "consider further restricting type parameter `R` with trait `Sync`",
    ),
    (
        "a type parameter that is not `'static`",
        "participant/fail/generic_without_static",
        "write `R: Send + Sync + 'static`, besides the bounds that it has",
    ),
    (
        "a trait of the user's whose futures are not `Send`",
        "participant/fail/trait_without_send_futures",
        "`Send` can be made part of the associated future's guarantees for all implementations \
         of `Repo::save`",
    ),
    (
        "#[participant] below #[async_trait]",
        "participant/fail/below_async_trait",
        "#[async_trait] has boxed these methods already: put #[participant] above it",
    ),
    (
        "a foreign type",
        "participant/fail/foreign_type",
        "outside of the crate where the type is defined",
    ),
    (
        "a second block",
        "participant/fail/second_block",
        "conflicting implementations of trait `unanimous::Participant` for type `Mailer`",
    ),
    (
        "an action on a handler of tonic",
        "two_phase_action/fail/parameter_is_request",
        "let it call, in one line, an action of an inherent impl",
    ),
    (
        "an error that cannot carry failures of the transaction",
        "global_transactional/fail/error_cannot_carry_failures",
        "add a variant to it: `#[error(transparent)] Transaction(#[from] unanimous::Error)`",
    ),
    (
        "an action's error that cannot",
        "two_phase_action/fail/error_cannot_carry_failures",
        "or convert at the boundary: `map_err = path::to::function`",
    ),
    (
        "no `Result`",
        "global_transactional/fail/not_a_result",
        "a transactional function returns a `Result`, not `Option<u8>`",
    ),
    (
        "statements before the future",
        "global_transactional/fail/future_with_statements",
        "write an `async fn`, or make the whole body one `async move` block",
    ),
    (
        "a pattern of another type in `commit_on`",
        "global_transactional/fail/wrong_pattern_type",
        "expected `Error`, found `CallFailure`",
    ),
    (
        "a crate that is not there",
        "global_transactional/fail/crate_path_not_found",
        "cannot find `transactions` in the crate root",
    ),
    (
        "below #[tokio::main]",
        "global_transactional/fail/below_the_main_of_tokio",
        "put #[global_transactional] above #[tokio::main]",
    ),
    (
        "a partner's parameter that is misspelt",
        "two_phase_action/fail/partner_parameter_misspelt",
        "Did you mean `pages`?",
    ),
    (
        "a partner's parameter with an underscore",
        "two_phase_action/fail/partner_parameter_underscored",
        "leave out what it does not use",
    ),
    (
        "a mark that is misspelt",
        "two_phase_action/fail/marks_misspelt",
        "did you mean `#[skip]`?",
    ),
    (
        "an attribute that is misspelt",
        "two_phase_action/fail/attribute_misspelt",
        "did you mean `#[two_phase_action]`?",
    ),
    (
        "an attribute inside `cfg_attr`",
        "two_phase_action/fail/attribute_under_condition",
        "#[participant] does not see what `cfg_attr` adds",
    ),
    (
        "an attribute on a partner",
        "two_phase_action/fail/attribute_on_a_partner",
        "carries no attribute: remove this one",
    ),
    (
        "a partner in another block",
        "two_phase_action/fail/partner_in_another_block",
        "write it here, beside the action",
    ),
    (
        "the words of other frameworks",
        "two_phase_action/fail/words_of_others",
        "unknown argument `confirm`, did you mean `commit`?",
    ),
    (
        "an argument of another annotation",
        "two_phase_action/fail/argument_of_another_annotation",
        "it is one of #[global_transactional]",
    ),
    (
        "a transaction that is not lent",
        "two_phase_action/fail/transaction_not_lent",
        "take `&mut FenceTx<..>`",
    ),
    (
        "a context that is not lent",
        "two_phase_action/fail/context_not_lent",
        "take `&BranchContext`",
    ),
    (
        "a receiver by value",
        "two_phase_action/fail/receiver_not_shared",
        "take &self or self: Arc<Self>",
    ),
    (
        "a fence that is a field's name alone",
        "participant/fail/fence_without_self",
        "write `fence = self.db`",
    ),
    (
        "a name without its key",
        "participant/fail/name_without_key",
        "name = \"mailer\"",
    ),
    (
        "a participant that is not `Sync`",
        "participant/fail/not_sync",
        "a `Mutex` or an atomic in place of a `RefCell`",
    ),
    (
        "a name that is no text",
        "participant/fail/name_of_wrong_type",
        "a participant's name is text, and `u32` is none",
    ),
    (
        "another crate",
        "participant/fail/crate_is_another",
        "crate_must_name_the_crate_unanimous",
    ),
    (
        "a runtime that is none",
        "global_transactional/fail/runtime_of_wrong_type",
        "`runtime` takes a `unanimous::Runtime`, and `u8` is none",
    ),
    (
        "a guard that asks a parameter",
        "global_transactional/fail/commit_on_asks_a_parameter",
        "decide in the body which error to return",
    ),
    (
        "two patterns in `commit_on`",
        "global_transactional/fail/commit_on_two_patterns",
        "errors are separated by `|`",
    ),
    (
        "a propagation without its key",
        "global_transactional/fail/propagation_without_key",
        "did you mean `propagation = requires_new`?",
    ),
    (
        "a conversion in quotes",
        "global_transactional/fail/map_err_in_quotes",
        "map_err = ShopError::Transaction",
    ),
];

/// Cases whose place is the attribute: a missing argument, and an attribute that stands in the wrong
/// place, have no other.
pub(crate) const AT_THE_ATTRIBUTE: [&str; 2] = [
    "participant/no_name",
    "two_phase_action/function_below_global_transactional",
];
