//! `#[two_phase_action]` where no `#[participant]` has read it.

use proc_macro2::TokenStream;
use quote::quote;

use super::args;
use crate::diagnostics::Errors;
use crate::syntax::annotated_fn::{AnnotatedFn, kind_of_item};
use crate::syntax::public_shape::public_shape;

const MISSING: &str = "#[two_phase_action] is read by #[participant], which must stand on the impl \
                       block: add `#[participant(name = \"..\")]` above `impl`. If it is there: the \
                       attribute is not recognised under another name (`use .. as ..`) or inside \
                       `cfg_attr`";

const FREE: &str = "an action is a method: move this function into an impl block under \
                    `#[participant(name = \"..\")]` and give it `&self`";

/// The mistake, and the function as its callers see it.
pub(crate) fn expand_alone(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Ok(function) = syn::parse2::<AnnotatedFn>(item.clone()) else {
        let found = kind_of_item(&item).map(|kind| format!("; this is `{kind}`"));
        let found = found.unwrap_or_default();
        let at = item.clone().into_iter().next();
        errors.at(
            at,
            format!("#[two_phase_action] stands on a method of an impl block{found}"),
        );
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    let message = if function.sig.receiver().is_some() {
        MISSING
    } else {
        FREE
    };
    errors.at(&function.sig.ident, message);
    args::parse(args, &mut errors);
    let (function, errors) = (public_shape(&function, true), errors.into_tokens());
    quote!(#function #errors)
}
