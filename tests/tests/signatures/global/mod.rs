//! `#[global_transactional]`. An `async unsafe fn` is a doc test of this package, whose own code
//! forbids it.

mod bodies;
mod futures;
mod methods;
mod neighbours;
mod parameters;
mod traits;

/// The twenty shapes with which the form of the generated code was chosen, then all others that
/// the manual promises.
const LISTED: [&[&str]; 2] = [
    &[
        "question_mark_with_conversion",
        "early_return",
        "inferred_ok_type",
        "collect_into_result",
        "impl_trait_argument",
        "impl_trait_return",
        "destructured_parameters",
        "mutable_parameters",
        "exclusive_reference",
        "const_generic_with_named_lifetime",
        "boxed_trait_object_result",
        "lent_self",
        "exclusive_self_returning_a_borrow",
        "shared_self",
        "self_by_value",
        "raw_identifiers",
        "trait_method_with_send_future",
        "async_trait_method_natively",
        "large_array",
        "named_like_our_locals",
    ],
    &[
        "above_instrument",
        "above_tokio_main",
        "above_tokio_test",
        "anyhow_result",
        "associated_function",
        "async_block_as_body",
        "async_trait_default_body",
        "async_trait_generic",
        "async_trait_implementation",
        "async_trait_not_send",
        "axum_handler",
        "below_instrument",
        "borrowed_parameter_returned",
        "boxed_error",
        "boxed_future",
        "boxed_future_with_early_return",
        "boxed_self",
        "callbacks",
        "default_body",
        "dynamic_reference",
        "exclusive_dynamic_reference",
        "generic_impl",
        "joined",
        "own_result_alias",
        "pinned_self",
        "async_trait_form_by_hand",
        "recursion",
        "result_of_a_module",
        "rows_while_branches_open",
        "spawned",
        "tonic_method",
        "unnamed_parameters",
        "unordered",
        "written_by_a_macro",
    ],
];

crate::table! {
    bodies:
        question_mark_with_conversion early_return inferred_ok_type collect_into_result
        boxed_trait_object_result anyhow_result boxed_error own_result_alias result_of_a_module
        recursion;
    futures:
        async_block_as_body boxed_future boxed_future_with_early_return spawned joined unordered
        rows_while_branches_open;
    methods:
        lent_self exclusive_self_returning_a_borrow shared_self self_by_value pinned_self
        boxed_self associated_function generic_impl;
    neighbours:
        above_instrument below_instrument above_tokio_main above_tokio_test axum_handler
        tonic_method written_by_a_macro;
    parameters:
        impl_trait_argument impl_trait_return destructured_parameters mutable_parameters
        exclusive_reference const_generic_with_named_lifetime raw_identifiers large_array
        named_like_our_locals borrowed_parameter_returned callbacks dynamic_reference
        exclusive_dynamic_reference unnamed_parameters;
    traits:
        trait_method_with_send_future async_trait_method_natively default_body
        async_trait_default_body async_trait_generic async_trait_implementation
        async_trait_not_send async_trait_form_by_hand;
}
