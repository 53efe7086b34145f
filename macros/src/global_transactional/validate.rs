//! Rules across the arguments and the signature of a transactional function.

use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::{FnArg, ReturnType};

use super::args::{Args, CommitOn, Propagation};
use super::model::Model;
use crate::diagnostics::Errors;
use crate::hygiene::Arrow;
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::async_fn::{Shape, future_output, is_entry, is_future, shape};
use crate::syntax::parameter::{name as name_of, recorded_name};
use crate::syntax::return_type::is_no_result;
use crate::syntax::types::{macro_called, shown};
use crate::two_phase_action::free::mention;

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
    check_guard(function, &args, errors);
    let sig = &function.sig;
    if let Some(constness) = &sig.constness {
        let write = if sig.asyncness.is_some() {
            "remove `const`".to_owned()
        } else {
            format!("write `async fn {}`", sig.ident)
        };
        let message = format!(
            "a transactional function cannot be `const`, since it talks to a coordinator: {write}"
        );
        errors.at(constness, message);
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
    if let Some(output) = output.filter(|output| is_no_result(output)) {
        let message = format!(
            "a transactional function returns a `Result`, not `{of}`: `Ok` commits, `Err` rolls back; write \
             `Result<{of}, E>` with `E: From<unanimous::Error>`",
            of = shown(output)
        );
        errors.at(output, message);
    }
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

/// A guard is asked about the error after the body has ended, when the parameters are gone.
fn check_guard(function: &AnnotatedFn, args: &Args, errors: &mut Errors) {
    let commit_on = args.commit_on.as_ref().map(|given| &given.value);
    let Some((CommitOn { pattern, .. }, guard)) =
        commit_on.and_then(|given| Some((given, given.guard.as_ref()?)))
    else {
        return;
    };
    if names_of_its_own(guard.to_token_stream()) {
        return;
    }
    let parameters = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Receiver(_) => Some("self".to_owned()),
        FnArg::Typed(parameter) => name_of(parameter).map(recorded_name),
    });
    for name in parameters.filter(|name| mention::of(pattern, name).is_none()) {
        if let Some(found) = mention::of(guard, &name) {
            let message = format!(
                "a guard is asked about the error alone, after the body has ended, and `{name}` is a \
                 parameter of the function: decide in the body which error to return"
            );
            errors.at(found, message);
        }
    }
}

/// After these words a name may be bound anew.
const BINDING: [&str; 8] = [
    "const", "fn", "for", "let", "match", "static", "struct", "use",
];

/// Whether names may be bound in there, which may be those of the function's parameters: by a `match`, a `let`, an
/// item, a macro that is not known to leave them alone (`matches!`), or a `|` other than that of `||`, as in a closure.
fn names_of_its_own(guard: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = guard.into_iter().collect();
    let mut of_or = false;
    tokens.iter().enumerate().any(|(at, token)| {
        let was_of_or = std::mem::take(&mut of_or);
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '|' && !was_of_or => {
                of_or = punct.spacing() == Spacing::Joint;
                !of_or
            }
            TokenTree::Ident(ident) => BINDING.iter().any(|word| ident == word),
            TokenTree::Group(group) => {
                macro_called(&tokens[..at], group).is_some_and(|name| !mention::is_formatting(name))
                    || names_of_its_own(group.stream())
            }
            _ => false,
        }
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
    if function.sig.constness.is_some() {
        // Said there.
        return;
    }
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
fn name(args: &Args, function: &Ident) -> TokenStream {
    let mixed = Span::mixed_site();
    if let Some(name) = &args.name {
        return name.to_token_stream();
    }
    let function = function.unraw().to_string();
    quote_spanned!(mixed=> ::core::concat!(::core::module_path!(), "::", #function))
}
