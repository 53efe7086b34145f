//! `#[global_transactional]`: begins or joins a global transaction around a function.

pub(crate) mod args;
mod expand;
mod model;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Errors;
use crate::syntax::annotated_fn::{AnnotatedFn, kind_of_item};
use crate::syntax::async_fn::as_async;

/// The annotation's pipeline.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(args, &mut errors);
    let Ok(function) = syn::parse2::<AnnotatedFn>(item.clone()) else {
        return misplaced(item, errors);
    };
    let model = validate::validate(&function, args, &mut errors);
    match model {
        Some(model) if errors.is_empty() => expand::expand(&model),
        _ => {
            let (function, errors) = (as_async(function), errors.into_tokens());
            quote!(#function #errors)
        }
    }
}

fn misplaced(item: TokenStream, mut errors: Errors) -> TokenStream {
    let found = kind_of_item(&item)
        .map(|kind| format!("; this is `{kind}`"))
        .unwrap_or_default();
    let at = item.clone().into_iter().next();
    errors.at(
        at,
        format!("#[global_transactional] stands on an `async fn`{found}"),
    );
    let errors = errors.into_tokens();
    quote!(#item #errors)
}
