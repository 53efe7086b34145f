//! What is emitted of a function with a mistake in it: the signature that its callers see, and a
//! body that is checked but never run. So only the user's own mistakes are reported, not one more
//! at every call.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{FnArg, PatType, ReturnType};

use super::annotated_fn::AnnotatedFn;
use super::async_fn::as_async;
use super::parameter::{Marks, is_exclusive, is_transaction};
use super::return_type::erased;
use crate::diagnostics::Errors;

/// The function without the fence's transaction and without state among its parameters, without our attributes.
///
/// `has_fence`: whether any `&mut` parameter is the fence's transaction; without, and where there are
/// several, its type says so.
pub(crate) fn public_shape(method: &AnnotatedFn, has_fence: bool) -> TokenStream {
    let mut shown = as_async(method.clone());
    shown
        .attrs
        .retain(|attr| !crate::two_phase_action::is_ours(attr));
    let (mut hidden, by_type) = (Vec::new(), !has_fence || several_exclusive(method));
    shown.sig.inputs = std::mem::take(&mut shown.sig.inputs)
        .into_iter()
        .filter_map(|input| match input {
            FnArg::Receiver(_) => Some(input),
            FnArg::Typed(mut parameter) => {
                let marks = Marks::take(&mut parameter.attrs, &mut Errors::default());
                let is_tx = if by_type {
                    is_transaction
                } else {
                    is_exclusive
                };
                let hides_tx = marks.skip.is_none() && is_tx(&parameter.ty);
                if marks.state.is_some() || hides_tx {
                    hidden.push(parameter);
                    return None;
                }
                Some(FnArg::Typed(parameter))
            }
        })
        .collect();
    let Some(body) = &method.body else {
        return quote!(#shown);
    };
    if hidden.is_empty() {
        return quote!(#shown);
    }
    let block = body.block();
    let content = checked(&hidden, &method.sig.output, &block);
    shown.with_body(content)
}

/// Whether several parameters may be the transaction, and the type of one says that it is.
fn several_exclusive(method: &AnnotatedFn) -> bool {
    let exclusive = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(parameter) if is_exclusive(&parameter.ty) => {
            let mut attrs = parameter.attrs.clone();
            let marks = Marks::take(&mut attrs, &mut Errors::default());
            marks.skip.is_none().then_some(&parameter.ty)
        }
        _ => None,
    });
    exclusive.clone().count() > 1 && exclusive.clone().any(|ty| is_transaction(ty))
}

/// The body as a closure over the parameters that callers do not see.
fn checked(hidden: &[PatType], output: &ReturnType, block: &TokenStream) -> TokenStream {
    let output = match output {
        ReturnType::Default => TokenStream::new(),
        ReturnType::Type(_, ty) => {
            let ty = erased(ty);
            quote!(-> #ty)
        }
    };
    let body = if output.is_empty() {
        quote!(#block)
    } else {
        quote!(#output #block)
    };
    quote_spanned! {proc_macro2::Span::mixed_site()=>
        let _ = async |#(#hidden),*| #body;
        loop {}
    }
}
