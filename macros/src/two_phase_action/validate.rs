//! Rules across an action, its arguments and its partners.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, FnArg, PatType, ReturnType, Signature, Token};

use super::args::{Args, Named};
use super::is_ours;
use super::model::{Action, Call, Handing, Passed, RecordedParameter, What};
use super::partner::{Kind, Partner, Takes};
use crate::diagnostics::{Errors, quoted};
use crate::hygiene::{Arrow, line};
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::async_fn::{Shape, future_output, is_boxed, shape};
use crate::syntax::parameter::{
    Form, Marks, SelfKind, is_context, is_exclusive, name, recorded_name, self_kind,
};
use crate::syntax::types::{argument_of, is_unsized, lent};

/// What an action is checked against.
pub(crate) struct Surroundings<'a> {
    pub(crate) fenced: bool,
    pub(crate) in_trait: bool,
    /// `map_err` of the whole participant.
    pub(crate) map_err: Option<&'a Expr>,
    /// Every method that some action names and that can be a partner.
    pub(crate) partners: &'a [Partner],
}

/// The two decisions, each with a partner.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Decision {
    Commit,
    Rollback,
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
    let signature = check_signature(&method.sig, errors);
    let parameters = parameters(method, around, errors);
    let future = future(method, errors);
    let serve = |named: &Option<Named>, decision, errors: &mut Errors| {
        let named = named.as_ref()?;
        let partner = around
            .partners
            .iter()
            .find(|partner| partner.ident == named.ident)?;
        Some(call(
            &method.sig.ident,
            &parameters,
            named,
            partner,
            decision,
            around,
            errors,
        ))
    };
    let commit = serve(&args.commit, Decision::Commit, errors);
    let rollback = serve(&args.rollback, Decision::Rollback, errors);
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
        line: line(method.sig.ident.span()),
        self_kind,
        receiver,
        tx: parameters.tx,
        recorded: parameters.recorded,
        output,
        arrow,
        commit: commit?,
        rollback: rollback?,
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

fn missing(attr: &Attribute, args: &Args, errors: &mut Errors) {
    let wanted = [
        ("commit", "makes final what this method reserved", "confirm"),
        ("rollback", "gives back what this method reserved", "cancel"),
    ];
    for (key, what, example) in wanted {
        if !args.written.iter().any(|written| written == key) {
            let message =
                format!("`{key}` is missing: name the method that {what}: {key} = {example}");
            errors.at(attr.path(), message);
        }
    }
}

fn check_signature(sig: &Signature, errors: &mut Errors) -> Option<(SelfKind, Ident)> {
    if let Some(constness) = &sig.constness {
        errors.at(
            constness,
            "an action cannot be `const`: it talks to a coordinator",
        );
    }
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

/// Where the action's future is written, what it resolves to, and its `->`.
fn future(method: &AnnotatedFn, errors: &mut Errors) -> Option<(Shape, syn::Type, Arrow)> {
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
        let message = format!("an action is async: write `async fn {}`", sig.ident);
        errors.at(sig.fn_token, message);
        return None;
    };
    Some((shape, output.clone(), Arrow::of(*arrow)))
}

/// The parameters of an action, sorted.
struct Parameters {
    public: Punctuated<FnArg, Token![,]>,
    tx: Option<PatType>,
    recorded: Vec<RecordedParameter>,
    /// Names that phase two does not have.
    skipped: Vec<Ident>,
    /// Names whose parameter has a mistake of its own.
    broken: Vec<Ident>,
}

fn parameters(method: &AnnotatedFn, around: &Surroundings<'_>, errors: &mut Errors) -> Parameters {
    let mut sorted = Parameters {
        public: Punctuated::new(),
        tx: None,
        recorded: Vec::new(),
        skipped: Vec::new(),
        broken: Vec::new(),
    };
    for input in &method.sig.inputs {
        match input {
            FnArg::Receiver(_) => sorted.public.push(input.clone()),
            FnArg::Typed(parameter) => sort(parameter.clone(), method, around, &mut sorted, errors),
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
            is_exclusive(&parameter.ty)
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
        let message = "`#[tried]` stands on a parameter of a phase-two method: this is phase one";
        errors.at(tried, message);
        return;
    }
    if marks.skip.is_some() {
        sorted.skipped.extend(name(&parameter).cloned());
        sorted.public.push(FnArg::Typed(parameter));
        return;
    }
    if around.fenced && is_exclusive(&parameter.ty) {
        if sorted.tx.is_some() {
            let message = "one `&mut` parameter is the fence's transaction; mark the other #[skip]";
            errors.at(&parameter, message);
        } else {
            sorted.tx = Some(parameter);
        }
        return;
    }
    match recorded(&parameter, method, around) {
        Ok(recorded) => sorted.recorded.push(recorded),
        Err(error) => {
            sorted.broken.extend(name(&parameter).cloned());
            errors.push(error);
        }
    }
    sorted.public.push(FnArg::Typed(parameter));
}

fn recorded(
    parameter: &PatType,
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
    if is_context(&parameter.ty) {
        return error(
            &parameter.ty,
            "phase one asks for its context: write `BranchContext::current()` in the body; callers \
             have none to pass",
        );
    }
    match Form::of(&parameter.ty, &method.sig.generics, around.in_trait) {
        Ok(form) => {
            let colon = parameter.colon_token.span;
            Ok(RecordedParameter {
                ident: ident.clone(),
                colon,
                form,
            })
        }
        Err(message) => error(&parameter.ty, &message),
    }
}

/// The call of a partner: each of its parameters matched by name.
fn call(
    action: &Ident,
    parameters: &Parameters,
    named: &Named,
    partner: &Partner,
    decision: Decision,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Call {
    let mut passed = Vec::new();
    for takes in &partner.takes {
        let what = match &takes.kind {
            Kind::Tx => Some(What::Tx),
            Kind::Context => Some(What::Context),
            Kind::Tried { optional, unsized_ } => {
                check_tried(takes, *optional, decision, around.fenced, errors);
                Some(What::Tried {
                    optional: *optional,
                    unsized_: *unsized_,
                })
            }
            Kind::Named(name) => find(action, parameters, name, takes, around.fenced, errors),
        };
        passed.extend(what.map(|what| Passed {
            what,
            colon: takes.colon,
        }));
    }
    Call {
        partner: named.ident.clone(),
        equals: named.equals,
        self_kind: partner.self_kind,
        cfgs: partner.cfgs.clone(),
        arrow: partner.arrow,
        passed,
    }
}

/// Behind a fence phase two runs only where phase one committed; without one a rollback may come
/// before phase one answered.
fn check_tried(
    takes: &Takes,
    optional: bool,
    decision: Decision,
    fenced: bool,
    errors: &mut Errors,
) {
    if fenced && optional {
        let message = "behind a fence phase two runs only where phase one committed, so what it \
                       returned is always there: take `&T`";
        errors.at(&takes.ty, message);
    }
    if !fenced && !optional && decision == Decision::Rollback {
        let message = "without a fence a rollback may come before phase one answered: take \
                       `Option<&T>`";
        errors.at(&takes.ty, message);
    }
}

fn find(
    action: &Ident,
    parameters: &Parameters,
    name: &Ident,
    takes: &Takes,
    fenced: bool,
    errors: &mut Errors,
) -> Option<What> {
    let found = parameters
        .recorded
        .iter()
        .find(|recorded| recorded.ident == *name);
    if let Some(found) = found {
        let how = handing(&found.form, &takes.ty);
        return Some(What::Recorded {
            parameter: Box::new(found.clone()),
            how,
        });
    }
    if parameters.broken.contains(name) {
        // Its own mistake is reported already.
        return None;
    }
    if parameters.skipped.contains(name) {
        let message =
            format!("`{name}` is marked `#[skip]` in `{action}`, so phase two does not have it");
        errors.at(name, message);
        return None;
    }
    let records = match parameters.recorded.as_slice() {
        [] => "records no parameter".to_owned(),
        recorded => format!(
            "records {}",
            quoted(
                recorded
                    .iter()
                    .map(|recorded| recorded_name(&recorded.ident))
            )
        ),
    };
    let tx = if fenced { "`&mut FenceTx<..>`, " } else { "" };
    errors.at(
        name,
        format!(
            "`{name}` is not a parameter of `{action}`, which {records}; a phase-two method may \
             also take {tx}`&BranchContext` and `#[tried] value: &T`"
        ),
    );
    None
}

/// How a value of this recorded form is handed to a parameter of that type. What does not fit is
/// handed over all the same: rustc says what is wrong with it.
fn handing(form: &Form, wanted: &syn::Type) -> Handing {
    if lent(wanted).is_some() {
        return Handing::Lend;
    }
    if let Some(inner) = argument_of(wanted, "Option").and_then(lent) {
        return if is_unsized(inner) {
            Handing::LendUnsizedInside
        } else {
            Handing::LendInside
        };
    }
    let wants_cow = argument_of(wanted, "Cow").is_some();
    match (form, wants_cow) {
        (Form::Cow(_), false) => Handing::OutOfCow,
        (Form::Owned(_) | Form::Lent(_), true) => Handing::IntoCow,
        _ => Handing::Move,
    }
}
