//! Rules across an action, its arguments and its partners.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, FnArg, GenericArgument, PatType, PathArguments, ReturnType, Signature, Token, Type,
};

use super::args::{Args, Partnered};
use super::is_ours;
use super::matching::{Branched, Decision, call};
use super::model::{Action, Call, RecordedParameter};
use super::partner::Partner;
use crate::diagnostics::Errors;
use crate::hygiene::{Arrow, line};
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::arguments::Conversion;
use crate::syntax::async_fn::{Shape, future_output, is_boxed, shape};
use crate::syntax::parameter::{
    Form, Marks, SelfKind, is_exclusive, is_transaction, lent_wrongly, name, names_context,
    names_transaction, recorded_name, self_kind,
};
use crate::syntax::return_type::is_no_result;
use crate::syntax::types::{borrows, peeled, shown};

/// What an action is checked against.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Whether the participant has a fence; an action may do without it.
    pub(crate) fenced: bool,
    /// Whether an action without fence could have one.
    pub(crate) may_have_fence: bool,
    pub(crate) in_trait: bool,
    /// `map_err` of the whole participant.
    pub(crate) map_err: Option<&'a Conversion>,
    /// Every method that some action names and that can be a partner.
    pub(crate) partners: &'a [Partner],
}

/// The action, checked; nothing if a mistake was found in it.
pub(crate) fn validate(
    method: &AnnotatedFn,
    attr: &Attribute,
    args: Args,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<Action> {
    let before = errors.count();
    missing(attr, &args, errors);
    let fenced = check_fence(&args, around, errors);
    check_always_cancel(&args, fenced, errors);
    let action = Branched {
        name: &method.sig.ident,
        fenced,
        always_cancel: args.always_cancel.is_some(),
    };
    let signature = check_signature(&method.sig, errors);
    let parameters = parameters(method, fenced, around, errors);
    let future = future(method, errors);
    let serve = |named: &Option<Partnered>, decision, errors: &mut Errors| {
        let named = named.as_ref().and_then(Partnered::named)?;
        let partner = around
            .partners
            .iter()
            .find(|partner| partner.ident == named.ident)?;
        let branch = (action, decision);
        Some(call(branch, &parameters, named, partner, errors))
    };
    let commit = serve(&args.commit, Decision::Commit, errors);
    let rollback = serve(&args.rollback, Decision::Rollback, errors);
    let keeps = [&commit, &rollback]
        .into_iter()
        .flatten()
        .any(Call::takes_tried);
    if let Some((_, output, _)) = future.as_ref().filter(|_| fenced || keeps) {
        check_value(output, errors);
    }
    if errors.count() > before {
        return None;
    }
    let (self_kind, receiver) = signature?;
    let (shape, output, arrow) = future?;
    let name = match &args.name {
        Some(name) => name.value(),
        None => method.sig.ident.unraw().to_string(),
    };
    Some(Action {
        body: method.body.clone()?,
        shape,
        name,
        aliases: args.alias.iter().map(syn::LitStr::value).collect(),
        fenced,
        always_cancel: args.always_cancel.is_some(),
        line: line(method.sig.ident.span()),
        self_kind,
        receiver,
        tx: parameters.tx,
        recorded: parameters.recorded,
        output,
        arrow,
        commit,
        rollback,
        map_err: args.map_err.or_else(|| around.map_err.cloned()),
        method: AnnotatedFn {
            attrs: method
                .attrs
                .iter()
                .filter(|attr| !is_ours(attr))
                .cloned()
                .collect(),
            sig: Signature {
                inputs: parameters.public,
                ..method.sig.clone()
            },
            ..method.clone()
        },
    })
}

/// What is stored in a row is read back as a value of its own.
pub(super) fn check_value(output: &Type, errors: &mut Errors) {
    let Type::Path(path) = peeled(output) else {
        return;
    };
    let last = path.path.segments.last().map(|last| &last.arguments);
    let Some(PathArguments::AngleBracketed(arguments)) = last else {
        return;
    };
    if let Some(GenericArgument::Type(value)) = arguments.args.first()
        && borrows(value)
    {
        let message = "what this action returns is stored and read back, by a repeated try or as \
                       `tried`: return a value of its own, such as a `String`";
        errors.at(value, message);
    }
}

/// Whether the action has the participant's fence.
fn check_fence(args: &Args, around: &Surroundings<'_>, errors: &mut Errors) -> bool {
    let Some(fence) = &args.fence else {
        return around.fenced;
    };
    if !fence.is_none() {
        let message = "a method has the fence of its participant, #[participant(fence = ..)], or \
                       none: fence = none";
        errors.at(&fence.expression, message);
        return around.fenced;
    }
    if !around.fenced {
        let message = "this participant has no fence: remove `fence = none`";
        errors.at(&fence.expression, message);
    }
    false
}

fn check_always_cancel(args: &Args, fenced: bool, errors: &mut Errors) {
    let Some(written) = &args.always_cancel else {
        return;
    };
    if !fenced {
        let message = "without a fence the rollback method is called in any case: remove \
                       `always_cancel`";
        errors.at(written, message);
    } else if matches!(args.rollback, Some(Partnered::Nobody(_))) {
        let message = "`always_cancel` calls the rollback method also where no try left a row, and \
                       this action has none: name one, or remove `always_cancel`";
        errors.at(written, message);
    }
}

fn missing(attr: &Attribute, args: &Args, errors: &mut Errors) {
    if let (Some(Partnered::Nobody(_)), Some(Partnered::Nobody(second))) =
        (&args.commit, &args.rollback)
    {
        let message = "one of the two must name a method: an action that nothing follows in phase \
                       two is no branch; call it as a plain function";
        errors.at_span(*second, message);
    }
    let missing = args.missing(&["commit", "rollback"]);
    match missing.as_slice() {
        ["commit"] => errors.at(
            attr.path(),
            "`commit` is missing: name the method that makes final what this method reserved: commit = \
             confirm, or write commit = none",
        ),
        ["rollback"] => errors.at(
            attr.path(),
            "`rollback` is missing: name the method that gives back what this method reserved: \
             rollback = cancel, or write rollback = none",
        ),
        [] => {}
        _ => errors.at(
            attr.path(),
            "`commit` and `rollback` are missing: name the methods that make final and give back what \
             this one reserved: #[two_phase_action(commit = confirm, rollback = cancel)]",
        ),
    }
}

fn check_signature(sig: &Signature, errors: &mut Errors) -> Option<(SelfKind, Ident)> {
    check_const(sig, errors);
    let Some(receiver) = sig.receiver() else {
        errors.at(
            &sig.ident,
            "an action runs on its participant: take &self or self: Arc<Self>",
        );
        return None;
    };
    let kind = errors.keep(self_kind(receiver))?;
    Some((kind, Ident::new("self", receiver.self_token.span)))
}

/// That it is not async either is said with it.
pub(super) fn check_const(sig: &Signature, errors: &mut Errors) {
    let Some(constness) = &sig.constness else {
        return;
    };
    let write = if sig.asyncness.is_some() {
        "remove `const`".to_owned()
    } else {
        format!("write `async fn {}`", sig.ident)
    };
    let message = format!("an action cannot be `const`, since it talks to a coordinator: {write}");
    errors.at(constness, message);
}

/// Where the action's future is written, what it resolves to, and its `->`.
pub(super) fn future(method: &AnnotatedFn, errors: &mut Errors) -> Option<(Shape, Type, Arrow)> {
    let sig = &method.sig;
    let Some(body) = &method.body else {
        errors.at(
            &sig.ident,
            "an action has a body: what it reserves in phase one",
        );
        return None;
    };
    let ReturnType::Type(arrow, returned) = &sig.output else {
        let message = "an action returns a `Result`: write `-> Result<(), E>` with \
                       `E: From<unanimous::Error>`";
        errors.at(&sig.ident, message);
        return None;
    };
    if sig.asyncness.is_none() && is_boxed(returned) {
        let message = "write `async fn`; under #[async_trait], put #[participant] above it";
        errors.at(returned, message);
        return None;
    }
    let output = match shape(sig, body) {
        Some(Shape::Async) => Some((Shape::Async, returned.as_ref())),
        Some(block @ Shape::Block(_)) => future_output(returned).map(|output| (block, output)),
        Some(Shape::Boxed) | None => None,
    };
    let Some((shape, output)) = output else {
        if sig.constness.is_none() {
            let message = format!("an action is async: write `async fn {}`", sig.ident);
            errors.at(sig.fn_token, message);
        }
        return None;
    };
    if is_no_result(output) {
        let message = format!(
            "an action returns a `Result`, not `{of}`: write `Result<{of}, E>` with `E: \
             From<unanimous::Error>`",
            of = shown(output)
        );
        errors.at(output, message);
        return None;
    }
    Some((shape, output.clone(), Arrow::of(*arrow)))
}

/// The parameters of an action, sorted.
pub(super) struct Parameters {
    public: Punctuated<FnArg, Token![,]>,
    tx: Option<PatType>,
    pub(super) recorded: Vec<RecordedParameter>,
    /// Names that phase two does not have.
    pub(super) skipped: Vec<Ident>,
    /// Names whose parameter has a mistake of its own.
    pub(super) broken: Vec<Ident>,
    /// Whether there is a transaction in spite of `fence = none`: one of the two is the mistake.
    pub(super) needless_tx: bool,
}

fn parameters(
    method: &AnnotatedFn,
    fenced: bool,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Parameters {
    // `fence = none` takes the transaction away from this action alone.
    let around = Surroundings { fenced, ..*around };
    let mut sorted = Parameters {
        public: Punctuated::new(),
        tx: None,
        recorded: Vec::new(),
        skipped: Vec::new(),
        broken: Vec::new(),
        needless_tx: false,
    };
    for input in &method.sig.inputs {
        match input {
            FnArg::Receiver(_) => sorted.public.push(input.clone()),
            FnArg::Typed(parameter) => {
                sort(parameter.clone(), method, &around, &mut sorted, errors);
            }
        }
    }
    if around.fenced && sorted.tx.is_none() && errors_none_about_tx(method) {
        let message = "a fenced action works in the fence's transaction: add `tx: &mut FenceTx<..>` \
                       with the database of the fence; callers do not pass it";
        errors.at(&method.sig.ident, message);
    }
    sorted
}

/// Whether no parameter could be meant as the transaction.
fn errors_none_about_tx(method: &AnnotatedFn) -> bool {
    !method.sig.inputs.iter().any(|input| match input {
        FnArg::Typed(parameter) => {
            (is_exclusive(&parameter.ty) || names_transaction(&parameter.ty))
                && !parameter
                    .attrs
                    .iter()
                    .any(|attr| attr.path().is_ident("skip"))
        }
        FnArg::Receiver(_) => false,
    })
}

fn sort(
    mut parameter: PatType,
    method: &AnnotatedFn,
    around: &Surroundings<'_>,
    sorted: &mut Parameters,
    errors: &mut Errors,
) {
    let marks = Marks::take(&mut parameter.attrs, errors);
    if let Some(tried) = &marks.tried {
        let message = "`#[tried]` stands on a parameter of a phase-two method, and this is phase one: remove it";
        errors.at(tried, message);
        sorted.broken.extend(name(&parameter).cloned());
        return;
    }
    if let Some(kept) = &marks.kept {
        let message = "`#[kept]` stands on a parameter of a phase-two method; phase one keeps with \
                       `BranchContext::keep`";
        errors.at(kept, message);
        sorted.broken.extend(name(&parameter).cloned());
        return;
    }
    let is_tx = around.fenced && is_exclusive(&parameter.ty);
    if let (Some((attr, _)), true) = (&marks.recorded, marks.skip.is_some() || is_tx) {
        let message = "this parameter is not recorded: remove `#[recorded]`";
        errors.at(attr, message);
    }
    if let Some(state) = &marks.state {
        let message =
            "a method has what it needs in `self`, and `#[state]` is for free functions: remove it";
        errors.at(state, message);
        sorted.broken.extend(name(&parameter).cloned());
        return;
    }
    if marks.skip.is_some() {
        sorted.skipped.extend(name(&parameter).cloned());
        sorted.public.push(FnArg::Typed(parameter));
        return;
    }
    if is_tx {
        if sorted.tx.is_some() {
            let message = "one `&mut` parameter is the fence's transaction; mark the other #[skip]";
            errors.at(&parameter, message);
        } else {
            sorted.tx = Some(parameter);
        }
        return;
    }
    if around.fenced
        && names_transaction(&parameter.ty)
        && let Some(message) = lent_wrongly(&parameter.ty)
    {
        errors.at(&parameter.ty, message);
        return;
    }
    if !around.fenced && around.may_have_fence && is_transaction(&parameter.ty) {
        let message = "this action has `fence = none`, so there is no transaction to supply: remove \
                       one of the two";
        errors.at(&parameter.ty, message);
        sorted.needless_tx = true;
        return;
    }
    match recorded(&parameter, &marks, method, around) {
        Ok(recorded) => {
            check_unique(&recorded, &sorted.recorded, &marks, errors);
            sorted.recorded.push(recorded);
        }
        Err(error) => {
            sorted.broken.extend(name(&parameter).cloned());
            errors.push(error);
        }
    }
    sorted.public.push(FnArg::Typed(parameter));
}

/// Two values under one name could not be told apart.
pub(super) fn check_unique(
    recorded: &RecordedParameter,
    others: &[RecordedParameter],
    marks: &Marks,
    errors: &mut Errors,
) {
    let Some(other) = others.iter().find(|other| other.wire == recorded.wire) else {
        return;
    };
    let message = format!(
        "`{}` and `{}` are both recorded as `{}`; give one another name",
        other.ident, recorded.ident, recorded.wire
    );
    match marks.recorded_as().name {
        Some(name) => errors.at(name, message),
        None => errors.at(&recorded.ident, message),
    }
}

pub(super) fn recorded(
    parameter: &PatType,
    marks: &Marks,
    method: &AnnotatedFn,
    around: &Surroundings<'_>,
) -> syn::Result<RecordedParameter> {
    let error = |tokens: &dyn ToTokens, message: &str| {
        Err(syn::Error::new_spanned(tokens.to_token_stream(), message))
    };
    let Some(ident) = name(parameter) else {
        return error(
            &parameter.pat,
            "give this parameter a name: phase two receives it by name. Destructure it in the body",
        );
    };
    if names_context(&parameter.ty) {
        return error(
            &parameter.ty,
            "phase one asks for its context: write `BranchContext::current()` in the body; callers \
             have none to pass",
        );
    }
    match Form::of(&parameter.ty, &method.sig.generics, around.in_trait) {
        Ok(form) => {
            let colon = parameter.colon_token.span;
            let how = marks.recorded_as();
            let wire = how.name.map(|name| name.value());
            Ok(RecordedParameter {
                ident: ident.clone(),
                colon,
                form,
                wire: wire.unwrap_or_else(|| recorded_name(ident)),
                default: how.default,
            })
        }
        Err(message) => error(&parameter.ty, &message),
    }
}
