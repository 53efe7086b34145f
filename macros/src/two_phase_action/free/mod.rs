//! `#[two_phase_action]` on a free function. Its partners cannot be seen, so they are called by
//! position, or with what a list names; what a method reads off `self` is state of the runtime.

pub(crate) mod args;
mod expand;
pub(crate) mod mention;
mod model;
mod parameters;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Errors;
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::public_shape::public_shape;

/// The annotation's pipeline.
pub(crate) fn expand(args: TokenStream, function: &AnnotatedFn) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(args, &mut errors);
    let fenced = args.has("fence");
    let action = validate::validate(function, args, &mut errors);
    match action {
        Some(action) if errors.is_empty() => expand::expand(&action),
        _ => {
            let (function, errors) = (public_shape(function, fenced), errors.into_tokens());
            quote!(#function #errors)
        }
    }
}
