//! Rules across the arguments and the signature of a transactional function.

use proc_macro2::{Ident, Span};
use quote::{ToTokens, quote_spanned};
use syn::ReturnType;
use syn::ext::IdentExt;

use super::args::{Args, Propagation};
use super::model::Model;
use crate::diagnostics::Errors;
use crate::hygiene::Arrow;
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::async_fn::{Shape, future_output, is_entry, is_future, shape};

/// On a method `#[participant]` sees to it that the transaction surrounds the action.
fn check_order(function: &AnnotatedFn, errors: &mut Errors) {
    let mut attrs = function.attrs.iter();
    let action = attrs.find(|attr| crate::two_phase_action::is_ours(attr));
    if let (Some(attr), None) = (action, function.sig.receiver()) {
        let message = "put #[two_phase_action] above #[global_transactional]: the transaction must \
                       surround the action";
        errors.at(attr, message);
    }
}

/// The function, checked; nothing if a mistake was found.
pub(crate) fn validate(function: &AnnotatedFn, args: Args, errors: &mut Errors) -> Option<Model> {
    check_propagation(&args, errors);
    check_order(function, errors);
    let sig = &function.sig;
    if let Some(constness) = &sig.constness {
        errors.at(
            constness,
            "a transactional function cannot be `const`, since it talks to a coordinator: remove `const`",
        );
    }
    let Some(body) = &function.body else {
        let message = "this method has no body to run in a transaction: annotate the method where \
                       the trait is implemented";
        errors.at(&sig.ident, message);
        return None;
    };
    let ReturnType::Type(arrow, returned) = &sig.output else {
        if sig.asyncness.is_none() {
            not_async(function, errors);
        }
        let message = "a transactional function returns a `Result`: `Ok` commits, `Err` rolls back; \
                       write `-> Result<(), E>` with `E: From<unanimous::Error>`";
        errors.at(&sig.ident, message);
        return None;
    };
    let Some(shape) = shape(sig, body) else {
        if is_future(returned) {
            let message = "the future of this function cannot be wrapped: write an `async fn`, or \
                           make the whole body one `async move` block";
            errors.at(returned, message);
        } else {
            not_async(function, errors);
        }
        return None;
    };
    let output = match &shape {
        Shape::Async => Some(returned.as_ref()),
        Shape::Block(_) | Shape::Boxed => future_output(returned),
    };
    Some(Model {
        body: body.clone(),
        output: output.cloned(),
        shape,
        arrow: Arrow::of(*arrow),
        name: name(&args, &sig.ident),
        timeout: args.timeout.map(|timeout| timeout.value),
        settle: args.settle.map(|settle| settle.value),
        propagation: args.propagation,
        commit_on: args.commit_on.map(|commit_on| commit_on.value),
        map_err: args.map_err,
        runtime: args.runtime.map(|runtime| runtime.value),
        krate: args.krate,
        function: function.clone(),
    })
}

/// What an argument is for does not happen under every kind of propagation: it would be ignored in
/// silence.
fn check_propagation(args: &Args, errors: &mut Errors) {
    let Some((word, why, joins)) = args.propagation.and_then(never_begins) else {
        return;
    };
    let unused = [
        args.timeout.as_ref().map(|timeout| &timeout.key),
        args.settle.as_ref().map(|settle| &settle.key),
        args.runtime.as_ref().map(|runtime| &runtime.key),
        args.commit_on
            .as_ref()
            .filter(|_| !joins)
            .map(|commit_on| &commit_on.key),
    ];
    for key in unused.into_iter().flatten() {
        let message = format!(
            "`propagation = {word}` {why}, so `{key}` would have no effect; remove one of the two"
        );
        errors.at(key, message);
    }
}

/// For the kinds that never begin a transaction: the word, why, and whether they may join one.
fn never_begins(propagation: Propagation) -> Option<(&'static str, &'static str, bool)> {
    let without = "runs without a transaction";
    match propagation {
        Propagation::Required | Propagation::RequiresNew => None,
        Propagation::Mandatory => Some((
            "mandatory",
            "joins a transaction and never begins one",
            true,
        )),
        Propagation::Supports => Some((
            "supports",
            "joins a transaction or runs without one, and never begins one",
            true,
        )),
        Propagation::NotSupported => Some(("not_supported", without, false)),
        Propagation::Never => Some(("never", without, false)),
    }
}

fn not_async(function: &AnnotatedFn, errors: &mut Errors) {
    let name = &function.sig.ident;
    let message = if is_entry(function) {
        "a transactional function is async: write `async fn`, and put #[global_transactional] above \
         #[tokio::main] or #[tokio::test], which make a plain function of it"
            .to_owned()
    } else {
        format!("a transactional function is async: write `async fn {name}`")
    };
    errors.at(function.sig.fn_token, message);
}

/// Module path and function, unless the user says otherwise.
fn name(args: &Args, function: &Ident) -> proc_macro2::TokenStream {
    let mixed = Span::mixed_site();
    if let Some(name) = &args.name {
        return name.to_token_stream();
    }
    let function = function.unraw().to_string();
    quote_spanned!(mixed=> ::core::concat!(::core::module_path!(), "::", #function))
}
