//! `#[two_phase_action]` where no `#[participant]` has read it: on a free function, or misplaced.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};

use super::{args, free};
use crate::diagnostics::Errors;
use crate::syntax::annotated_fn::{AnnotatedFn, kind_of_item};
use crate::syntax::public_shape::public_shape;
use crate::syntax::types::any_token;

const MISSING: &str = "#[two_phase_action] is read by #[participant], which must stand on the impl \
                       block: add `#[participant(name = \"..\")]` above `impl`. If it is there: the \
                       attribute is not recognised under another name (`use .. as ..`) or inside \
                       `cfg_attr`";

/// A free function, or the mistake and the function as its callers see it.
pub(crate) fn expand_alone(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Ok(function) = syn::parse2::<AnnotatedFn>(item.clone()) else {
        let found = kind_of_item(&item).map(|kind| format!("; this is `{kind}`"));
        let found = found.unwrap_or_default();
        let at = item.clone().into_iter().next();
        errors.at(
            at,
            format!("#[two_phase_action] stands on a method of an impl block or on a free `async fn`{found}"),
        );
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    if !is_of_an_impl(&function) && !names_self(args.clone()) {
        return free::expand(args, &function);
    }
    errors.at(&function.sig.ident, MISSING);
    args::parse(args, &mut errors);
    let (function, errors) = (public_shape(&function, true), errors.into_tokens());
    quote!(#function #errors)
}

/// Whether it shows that the function stands in an impl block or a trait.
fn is_of_an_impl(function: &AnnotatedFn) -> bool {
    function.sig.receiver().is_some() || names_self(function.sig.to_token_stream())
}

fn names_self(tokens: TokenStream) -> bool {
    any_token(
        tokens,
        &mut |token| matches!(token, TokenTree::Ident(ident) if ident == "Self"),
    )
}
