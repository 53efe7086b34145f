//! `#[participant]`: reads the actions of an impl block, checks them against each other, and
//! implements the trait through which phase two arrives.

pub(crate) mod args;
mod associated;
mod bounds;
mod expand;
mod misspelt;
mod model;
mod validate;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Errors;
use crate::syntax::annotated_fn::{AnnotatedFn, kind_of_item};
use crate::syntax::impl_block::ImplBlock;

/// The annotation's pipeline.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(args, &mut errors);
    let mut block = match ImplBlock::read(item.clone()) {
        Ok(block) => block,
        Err(error) => return unreadable(item, error, errors),
    };
    let (krate, fence) = (args.krate.clone(), args.fence.clone());
    misspelt::mend(&mut block, &mut errors);
    let fenced = args.written.iter().any(|key| key == "fence");
    let model = validate::validate(&block, args, &mut errors);
    match model {
        Some(model) if errors.is_empty() => expand::expand(&block, &model),
        _ => expand::public_shape(&mut block, (fenced, fence.as_ref()), &krate, errors),
    }
}

/// An item that is no impl block, or one that cannot be read.
fn unreadable(item: TokenStream, error: syn::Error, mut errors: Errors) -> TokenStream {
    match kind_of_item(&item) {
        Some("impl") => errors.push(error),
        found => {
            let is_fn = syn::parse2::<AnnotatedFn>(item.clone()).is_ok();
            let found = found
                .or(is_fn.then_some("fn"))
                .map(|kind| format!("; this is `{kind}`"))
                .unwrap_or_default();
            let at = item.clone().into_iter().next();
            errors.at(at, format!("#[participant] stands on an impl block{found}"));
        }
    }
    let errors = errors.into_tokens();
    quote!(#item #errors)
}
