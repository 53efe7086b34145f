//! Every case of `tests/expand`, compiled and run: each asserts that its annotated functions commit
//! and roll back. What the annotations become stands beside each case, and `macros` compares it.

#![deny(warnings)]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a case measures futures by their arguments"
)]
#![allow(
    clippy::unused_async,
    reason = "the partner of a free function is async, also where it waits for nothing"
)]
#![allow(
    clippy::too_many_arguments,
    reason = "a case shows every form of a parameter at once"
)]

mod world;

// A name for the crate that is not its own: cases with `crate = ..` use it.
use unanimous as renamed;

#[path = "../../expand/action_map_err.rs"]
mod action_map_err;
#[path = "../../expand/action_name.rs"]
mod action_name;
#[path = "../../expand/alias.rs"]
mod alias;
#[path = "../../expand/alias_of_unsized.rs"]
mod alias_of_unsized;
#[path = "../../expand/always_cancel.rs"]
mod always_cancel;
#[path = "../../expand/any_instance.rs"]
mod any_instance;
#[path = "../../expand/arc_receiver.rs"]
mod arc_receiver;
#[path = "../../expand/bare.rs"]
mod bare;
#[path = "../../expand/branch_context.rs"]
mod branch_context;
#[path = "../../expand/conditional.rs"]
mod conditional;
#[path = "../../expand/fence_none.rs"]
mod fence_none;
#[path = "../../expand/fenced.rs"]
mod fenced;
#[path = "../../expand/function_by_position.rs"]
mod function_by_position;
#[path = "../../expand/function_in_macro_rules.rs"]
mod function_in_macro_rules;
#[path = "../../expand/function_listed.rs"]
mod function_listed;
#[path = "../../expand/function_named.rs"]
mod function_named;
#[path = "../../expand/function_parameters.rs"]
mod function_parameters;
#[path = "../../expand/function_raw_identifiers.rs"]
mod function_raw_identifiers;
#[path = "../../expand/function_transactional.rs"]
mod function_transactional;
#[path = "../../expand/function_unfenced.rs"]
mod function_unfenced;
#[path = "../../expand/future_sizes.rs"]
mod future_sizes;
#[path = "../../expand/generic_impl.rs"]
mod generic_impl;
#[path = "../../expand/global_all_arguments.rs"]
mod global_all_arguments;
#[path = "../../expand/global_boxed_futures.rs"]
mod global_boxed_futures;
#[path = "../../expand/global_commit_on.rs"]
mod global_commit_on;
#[path = "../../expand/global_commit_on_guard.rs"]
mod global_commit_on_guard;
#[path = "../../expand/global_crate_path.rs"]
mod global_crate_path;
#[path = "../../expand/global_generics.rs"]
mod global_generics;
#[path = "../../expand/global_in_macro_rules.rs"]
mod global_in_macro_rules;
#[path = "../../expand/global_mandatory.rs"]
mod global_mandatory;
#[path = "../../expand/global_map_err.rs"]
mod global_map_err;
#[path = "../../expand/global_name.rs"]
mod global_name;
#[path = "../../expand/global_never.rs"]
mod global_never;
#[path = "../../expand/global_not_supported.rs"]
mod global_not_supported;
#[path = "../../expand/global_raw_identifiers.rs"]
mod global_raw_identifiers;
#[path = "../../expand/global_receivers.rs"]
mod global_receivers;
#[path = "../../expand/global_requires_new.rs"]
mod global_requires_new;
#[path = "../../expand/global_runtime.rs"]
mod global_runtime;
#[path = "../../expand/global_settle.rs"]
mod global_settle;
#[path = "../../expand/global_supports.rs"]
mod global_supports;
#[path = "../../expand/global_timeout.rs"]
mod global_timeout;
#[path = "../../expand/global_timeout_expression.rs"]
mod global_timeout_expression;
#[path = "../../expand/global_trait_methods.rs"]
mod global_trait_methods;
#[path = "../../expand/global_under_async_trait.rs"]
mod global_under_async_trait;
#[path = "../../expand/kept_fenced.rs"]
mod kept_fenced;
#[path = "../../expand/kept_unfenced.rs"]
mod kept_unfenced;
#[path = "../../expand/name_expression.rs"]
mod name_expression;
#[path = "../../expand/parameters_lent.rs"]
mod parameters_lent;
#[path = "../../expand/parameters_owned.rs"]
mod parameters_owned;
#[path = "../../expand/participant_crate_path.rs"]
mod participant_crate_path;
#[path = "../../expand/participant_in_macro_rules.rs"]
mod participant_in_macro_rules;
#[path = "../../expand/participant_raw_identifiers.rs"]
mod participant_raw_identifiers;
#[path = "../../expand/participant_under_async_trait.rs"]
mod participant_under_async_trait;
#[path = "../../expand/partner_none.rs"]
mod partner_none;
#[path = "../../expand/recorded_names.rs"]
mod recorded_names;
#[path = "../../expand/shared_partner.rs"]
mod shared_partner;
#[path = "../../expand/skip.rs"]
mod skip;
#[path = "../../expand/trait_impl.rs"]
mod trait_impl;
#[path = "../../expand/transactional_action.rs"]
mod transactional_action;
#[path = "../../expand/tried_fenced.rs"]
mod tried_fenced;
#[path = "../../expand/tried_unfenced.rs"]
mod tried_unfenced;
#[path = "../../expand/unfenced.rs"]
mod unfenced;

macro_rules! run {
    ($($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $case::run().await;
            }
        )*

        #[test]
        fn every_case_is_run() {
            let listed = [$(stringify!($case)),*].map(|case| format!("{case}.rs"));
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/expand");
            let names = std::fs::read_dir(folder).expect("the folder of the cases");
            let names = names.map(|entry| entry.expect("an entry").file_name());
            let mut found: Vec<String> = names
                .map(|name| name.to_string_lossy().into_owned())
                .filter(|name| name.ends_with(".rs"))
                .collect();
            found.sort();
            assert_eq!(found, listed);
        }
    };
}

run! {
    action_map_err
    action_name
    alias
    alias_of_unsized
    always_cancel
    any_instance
    arc_receiver
    bare
    branch_context
    conditional
    fence_none
    fenced
    function_by_position
    function_in_macro_rules
    function_listed
    function_named
    function_parameters
    function_raw_identifiers
    function_transactional
    function_unfenced
    future_sizes
    generic_impl
    global_all_arguments
    global_boxed_futures
    global_commit_on
    global_commit_on_guard
    global_crate_path
    global_generics
    global_in_macro_rules
    global_mandatory
    global_map_err
    global_name
    global_never
    global_not_supported
    global_raw_identifiers
    global_receivers
    global_requires_new
    global_runtime
    global_settle
    global_supports
    global_timeout
    global_timeout_expression
    global_trait_methods
    global_under_async_trait
    kept_fenced
    kept_unfenced
    name_expression
    parameters_lent
    parameters_owned
    participant_crate_path
    participant_in_macro_rules
    participant_raw_identifiers
    participant_under_async_trait
    partner_none
    recorded_names
    shared_partner
    skip
    trait_impl
    transactional_action
    tried_fenced
    tried_unfenced
    unfenced
}
