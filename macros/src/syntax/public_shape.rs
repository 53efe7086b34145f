//! What is emitted of a function with a mistake in it: the signature that its callers see, and a
//! body that is checked but never run. So only the user's own mistakes are reported, not one more
//! at every call.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{FnArg, PatType, ReturnType, parse_quote};

use super::annotated_fn::AnnotatedFn;
use super::async_fn::as_async;
use super::parameter::{
    Marks, is_exclusive, is_transaction, names_context, names_transaction, self_kind,
};
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
                let ty = &parameter.ty;
                let is_tx = names_transaction(ty) || (!by_type && is_exclusive(ty));
                let hides_tx = marks.skip.is_none() && is_tx;
                let hides_context = marks.skip.is_none() && names_context(ty);
                if marks.state.is_some() || hides_tx || hides_context {
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

/// An action of an inherent impl as its callers will see it: on `&self`, whatever it takes. Its body
/// may do what `&self` cannot, so it is left out then.
pub(crate) fn on_shared_self(method: &AnnotatedFn) -> AnnotatedFn {
    let mut shown = method.clone();
    let Some(FnArg::Receiver(receiver)) = shown.sig.inputs.first_mut() else {
        return shown;
    };
    if self_kind(receiver).is_ok() {
        return shown;
    }
    *receiver = parse_quote!(&self);
    shown.attrs.push(parse_quote!(#[allow(unused_variables)]));
    if let Some(body) = &mut shown.body {
        body.statements = quote!(loop {});
    }
    shown
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
