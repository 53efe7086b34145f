//! `#[participant]` and `#[two_phase_action]`.

mod blocks;
mod fenced;
mod functions;
mod names;
mod parameters;
mod partners;
mod skipped;

use std::sync::Arc;

use unanimous::{Participant, global_transactional};

use crate::Ending;
use crate::world::{Failure, Journal, World};

const LISTED: [&[&str]; 7] = [
    &[
        "array",
        "borrowed_copy_on_write",
        "mutable_parameter",
        "lent_slice",
        "lent_str",
        "lent_type",
        "named_like_our_locals",
        "optional_lent_str",
        "optional_lent_type",
        "owned",
        "owned_option",
        "raw_identifiers",
        "type_of_a_macro",
    ],
    &[
        "skipped_dynamic_reference",
        "skipped_exclusive_reference",
        "skipped_generic",
        "skipped_impl_trait",
        "skipped_nested_reference",
        "skipped_pattern",
    ],
    &[
        "fence_in_an_arc",
        "fence_of_a_method",
        "tx_behind_an_alias",
        "tx_in_another_place",
        "tx_through_a_nested_call",
        "tx_unused",
    ],
    &[
        "anyhow_error",
        "any_order",
        "asked_context",
        "boxed_error",
        "lent_what_is_owned",
        "named_through_self",
        "no_parameters",
        "own_error",
        "owned_what_is_lent",
        "partner_of_several_actions",
        "shared_self",
        "status_error",
        "subset",
        "text_error",
        "tried_fenced",
        "tried_unfenced",
    ],
    &[
        "async_trait_implementation",
        "attributes_beside",
        "conditional_methods",
        "generic_impl",
        "in_a_function_body",
        "instrumented",
        "name_of_the_instance",
        "native_trait_implementation",
        "parallel_branches",
        "tonic_handler_delegates",
        "trait_method_with_send_future",
        "transaction_of_one_branch",
        "types_of_the_trait",
        "written_by_a_macro",
    ],
    &[
        "kept",
        "partner_none",
        "recorded_default",
        "recorded_under_a_name",
    ],
    &[
        "function_array",
        "function_copy_on_write",
        "function_fenced",
        "function_lent_slice",
        "function_lent_str",
        "function_lent_type",
        "function_listed",
        "function_named_and_kept",
        "function_named_like_our_locals",
        "function_optional_lent_str",
        "function_optional_lent_type",
        "function_owned",
        "function_owned_option",
        "function_owned_state",
        "function_raw_identifiers",
        "function_skips",
        "function_type_of_a_macro",
        "function_under_conditions",
    ],
];

crate::table! {
    parameters:
        array borrowed_copy_on_write mutable_parameter lent_slice lent_str lent_type
        named_like_our_locals optional_lent_str optional_lent_type owned owned_option
        raw_identifiers type_of_a_macro;
    skipped:
        skipped_dynamic_reference skipped_exclusive_reference skipped_generic skipped_impl_trait
        skipped_nested_reference skipped_pattern;
    fenced:
        fence_in_an_arc fence_of_a_method tx_behind_an_alias tx_in_another_place
        tx_through_a_nested_call tx_unused;
    partners:
        anyhow_error any_order asked_context boxed_error lent_what_is_owned named_through_self
        no_parameters own_error owned_what_is_lent partner_of_several_actions shared_self
        status_error subset text_error tried_fenced tried_unfenced;
    blocks:
        async_trait_implementation attributes_beside conditional_methods generic_impl
        in_a_function_body instrumented name_of_the_instance native_trait_implementation
        parallel_branches tonic_handler_delegates trait_method_with_send_future
        transaction_of_one_branch types_of_the_trait written_by_a_macro;
    names:
        kept partner_none recorded_default recorded_under_a_name;
    functions:
        function_array function_copy_on_write function_fenced function_lent_slice
        function_lent_str function_lent_type function_listed function_named_and_kept
        function_named_like_our_locals function_optional_lent_str function_optional_lent_type
        function_owned function_owned_option function_owned_state function_raw_identifiers
        function_skips function_type_of_a_macro function_under_conditions;
}

/// The transaction around the action of a shape.
#[global_transactional]
async fn transaction<T>(
    call: impl Future<Output = Result<T, Failure>>,
    ending: Ending,
) -> Result<T, Failure> {
    let value = call.await?;
    ending.with(value)
}

/// Runs an action of one participant inside a transaction that ends so.
async fn run<P: Participant>(
    ending: Ending,
    make: impl FnOnce(Journal) -> P,
    call: impl AsyncFnOnce(Arc<P>) -> Result<(), Failure>,
) {
    let (world, participant) = World::with_one(|journal| make(journal.clone())).await;
    ending
        .of(&world, transaction(call(participant), ending))
        .await;
}
