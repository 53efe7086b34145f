//! Rules across a free function, its arguments and what its partners are passed.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Expr, GenericParam, Signature, Token};

use super::args::{Args, Named};
use super::mention;
use super::model::{Action, Bound, Call, What};
use super::parameters::{Parameters, sorted};
use crate::diagnostics::{Errors, quoted};
use crate::hygiene::line;
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::arguments::is_word;
use crate::syntax::parameter::{name, recorded_name};
use crate::syntax::types::{same_type, shown};
use crate::two_phase_action::args::Partnered;
use crate::two_phase_action::is_ours;
use crate::two_phase_action::validate::{check_const, check_value, future};

/// The action, checked; nothing if a mistake was found in it.
pub(super) fn validate(function: &AnnotatedFn, args: Args, errors: &mut Errors) -> Option<Action> {
    let before = errors.count();
    missing(&function.sig.ident, &args, errors);
    check_always_cancel(&args, errors);
    check_signature(&function.sig, errors);
    let parameters = sorted(function, args.has("fence"), errors);
    check_fence(&args, &parameters, errors);
    let future = future(function, errors);
    let passing = Passing {
        action: &function.sig.ident,
        certain: args.has("fence") && args.always_cancel.is_none(),
        parameters: &parameters,
    };
    let commit = passing.call(args.commit, "commit", errors);
    let rollback = passing.call(args.rollback, "rollback", errors);
    let keeps = [&commit, &rollback].into_iter().flatten().any(|call| {
        let mut bound = call.bound.iter();
        bound.any(|bound| matches!(bound.what, What::Tried { .. }))
    });
    if let Some((_, output, _)) = future.as_ref().filter(|_| args.fence.is_some() || keeps) {
        check_value(output, errors);
    }
    if errors.count() > before {
        return None;
    }
    let (shape, output, arrow) = future?;
    Some(Action {
        body: function.body.clone()?,
        shape,
        name: args.name,
        aliases: args.alias,
        always_cancel: args.always_cancel.is_some(),
        line: line(function.sig.ident.span()),
        output,
        arrow,
        fence: args.fence,
        commit,
        rollback,
        map_err: args.map_err,
        krate: args.krate,
        function: AnnotatedFn {
            attrs: function
                .attrs
                .iter()
                .filter(|attr| !is_ours(attr))
                .cloned()
                .collect(),
            sig: Signature {
                inputs: parameters.public,
                ..function.sig.clone()
            },
            ..function.clone()
        },
        tx: parameters.tx,
        states: parameters.states,
        recorded: parameters.recorded,
    })
}

fn missing(function: &Ident, args: &Args, errors: &mut Errors) {
    let missing = args.missing(&["commit", "rollback"]);
    match missing.as_slice() {
        ["commit"] => errors.at(
            function,
            "`commit` is missing: name the function that makes final what this one reserved: commit = \
             confirm, or write commit = none",
        ),
        ["rollback"] => errors.at(
            function,
            "`rollback` is missing: name the function that gives back what this one reserved: rollback \
             = cancel, or write rollback = none",
        ),
        [] => {}
        _ => errors.at(
            function,
            "`commit` and `rollback` are missing: name the functions that make final and give back what \
             this one reserved: #[two_phase_action(commit = confirm, rollback = cancel)]",
        ),
    }
    if let (Some(Partnered::Nobody(_)), Some(Partnered::Nobody(place))) =
        (&args.commit, &args.rollback)
    {
        let message = "an action without any partner needs no annotation: name a function for \
                       `commit` or for `rollback`";
        errors.at_span(*place, message);
    }
}

/// Without a fence a rollback partner is called in any case.
fn check_always_cancel(args: &Args, errors: &mut Errors) {
    let Some(word) = &args.always_cancel else {
        return;
    };
    if !args.has("fence") {
        let message = "without a fence the rollback partner is called in any case: remove \
                       `always_cancel`";
        errors.at(word, message);
    } else if matches!(args.rollback, Some(Partnered::Nobody(_))) {
        let message = "`always_cancel` is about the rollback partner, and this action has none";
        errors.at(word, message);
    }
}

fn check_signature(sig: &Signature, errors: &mut Errors) {
    check_const(sig, errors);
    for parameter in &sig.generics.params {
        if !matches!(parameter, GenericParam::Lifetime(_)) {
            let message = "an action that is a free function is one function: generics make it \
                           many. Name a concrete type, or make it a method of a generic \
                           #[participant]";
            errors.at(parameter, message);
        }
    }
}

/// The fence is evaluated before any call, from state alone.
fn check_fence(args: &Args, parameters: &Parameters, errors: &mut Errors) {
    let Some(fence) = &args.fence else { return };
    fence.check_is_place(errors);
    if let Some(this) = mention::of(&fence.expression, "self") {
        let message = "a free function has no `self`: mark a parameter that is the pool, `#[state] \
                       db: &SqlitePool`, and name it: fence = db";
        errors.at(this, message);
    }
    if is_word(&fence.expression, "none") {
        let message = "an action that is a free function has no fence unless it names one: leave \
                       `fence` out";
        errors.at(&fence.expression, message);
    }
    check_fence_is_known(&fence.expression, parameters, errors);
    let recorded = parameters.recorded.iter().map(|one| &one.ident);
    let transaction = parameters.tx.as_ref().and_then(name);
    for name in recorded.chain(&parameters.skipped).chain(transaction) {
        if let Some(found) = mention::of(&fence.expression, &recorded_name(name)) {
            let message = format!(
                "the fence is known before any call, from state alone, and `{name}` is passed by \
                 the caller: name a parameter marked `#[state]`"
            );
            errors.at(found, message);
        }
    }
}

/// A lower-case word is no item: it was meant as a state.
fn check_fence_is_known(expression: &Expr, parameters: &Parameters, errors: &mut Errors) {
    let Expr::Path(path) = expression else { return };
    let Some(written_as) = path.path.get_ident() else {
        return;
    };
    let written = recorded_name(written_as);
    let transaction = parameters.tx.as_ref().and_then(name);
    let states = parameters.states.iter().map(|state| &state.ident);
    let mut known = states
        .chain(&parameters.skipped)
        .chain(parameters.recorded.iter().map(|one| &one.ident))
        .chain(transaction)
        .map(recorded_name);
    let is_word = ["none", "self"].contains(&written.as_str());
    let is_item = written.starts_with(char::is_uppercase);
    if parameters.broken || is_word || is_item || known.any(|known| known == written) {
        return;
    }
    let message = format!(
        "`{written}` is no parameter: mark one that is the pool, `#[state] {written}: &SqlitePool`, and \
         name it: fence = {written}"
    );
    errors.at(written_as, message);
}

/// What can be passed to a partner.
struct Passing<'a> {
    action: &'a Ident,
    /// Whether phase one has committed wherever a rollback partner is called.
    certain: bool,
    parameters: &'a Parameters,
}

impl Passing<'_> {
    fn call(
        &self,
        partner: Option<Partnered<Named>>,
        key: &str,
        errors: &mut Errors,
    ) -> Option<Call> {
        let Some(Partnered::Named(named)) = partner else {
            return None;
        };
        if self.parameters.broken {
            // What is wrong with a parameter is reported where it stands.
            return None;
        }
        let optional = !self.certain && key == "rollback";
        let (arguments, bound) = match &named.list {
            Some(list) => self.listed(list, optional, errors),
            None => self.by_position(&named, key, errors),
        };
        Some(Call {
            partner: named.path,
            equals: named.equals,
            parens: named.parens,
            by_position: named.list.is_none(),
            arguments,
            bound,
        })
    }

    /// Every parameter in order. Where two recorded ones have the same type, the compiler could
    /// not tell whether a partner takes them in another order.
    fn by_position(
        &self,
        named: &Named,
        key: &str,
        errors: &mut Errors,
    ) -> (TokenStream, Vec<Bound>) {
        let Parameters {
            recorded,
            types,
            in_order,
            ..
        } = self.parameters;
        let same = types.iter().enumerate().find_map(|(at, ty)| {
            let earlier = types.iter().take(at).position(|other| same_type(other, ty));
            earlier.map(|earlier| (earlier, at))
        });
        if let Some((first, second)) = same {
            let message = format!(
                "`{}` and `{}` are both recorded as `{}`, so a partner that takes them in another \
                 order would compile; list what to pass: {key} = {}({})",
                recorded[first].ident,
                recorded[second].ident,
                shown(&types[second]),
                shown(&named.path),
                in_order
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            );
            errors.at(&named.path, message);
        }
        let bound: Vec<Bound> = in_order
            .iter()
            .filter_map(|name| {
                let ident = name.clone();
                Some(Bound {
                    what: self.parameter(name)?,
                    ident,
                })
            })
            .collect();
        let names = bound.iter().map(|bound| &bound.ident);
        (quote!(#(#names),*), bound)
    }

    /// Expressions over the parameters, `tried` and `branch`.
    fn listed(
        &self,
        list: &Punctuated<Expr, Token![,]>,
        optional: bool,
        errors: &mut Errors,
    ) -> (TokenStream, Vec<Bound>) {
        for expression in list {
            self.check_known(expression, errors);
        }
        let mut bound = Vec::new();
        for name in &self.parameters.in_order {
            if let (Some(ident), Some(what)) = (
                mention::of(list, &recorded_name(name)),
                self.parameter(name),
            ) {
                bound.push(Bound { ident, what });
            }
        }
        for (word, what) in [
            ("tried", What::Tried { optional }),
            ("branch", What::Branch),
        ] {
            if let Some(ident) = mention::of(list, word) {
                if self.parameters.in_order.iter().any(|name| name == word) {
                    let message = format!(
                        "`{word}` has a meaning of its own here: give the parameter of this name \
                         another"
                    );
                    errors.at(&ident, message);
                }
                bound.push(Bound { ident, what });
            }
        }
        (list.to_token_stream(), bound)
    }

    /// A bare name is one of those that phase two has. What else an expression names, the compiler
    /// looks up.
    fn check_known(&self, expression: &Expr, errors: &mut Errors) {
        for skipped in &self.parameters.skipped {
            if let Some(found) = mention::of(expression, &recorded_name(skipped)) {
                let message = format!(
                    "`{skipped}` is marked `#[skip]` in `{}`, so phase two does not have it: leave it \
                 out here, or remove `#[skip]` there",
                    self.action
                );
                errors.at(found, message);
                return;
            }
        }
        if let Some(message) = self.no_value(expression) {
            errors.at(expression, message);
            return;
        }
        let Expr::Path(path) = expression else { return };
        let Some(name) = path.path.get_ident() else {
            return;
        };
        let is_item = name
            .to_string()
            .starts_with(|first: char| first.is_uppercase());
        let mut in_order = self.parameters.in_order.iter().map(recorded_name);
        let known = in_order.any(|known| known == recorded_name(name))
            || ["tried", "branch"].iter().any(|word| name == word);
        if is_item || known {
            return;
        }
        let has = match self.parameters.in_order.as_slice() {
            [] => "`tried` and `branch`".to_owned(),
            names => format!(
                "{}, `tried` and `branch`",
                quoted(names.iter().map(recorded_name))
            ),
        };
        let message = format!(
            "`{name}` is not a parameter of `{}`; phase two has {has}",
            self.action
        );
        errors.at(name, message);
    }

    /// Why an expression of a known form is none that can be passed.
    fn no_value(&self, expression: &Expr) -> Option<String> {
        match expression {
            Expr::Assign(pair) => Some(format!(
                "a function is passed its parameters in order: write `{}` alone, in its place",
                shown(&pair.right)
            )),
            Expr::Reference(lent) if lent.mutability.is_some() => {
                let tx = self.parameters.tx.as_ref().and_then(name)?;
                let is_tx = mention::of(&lent.expr, &recorded_name(tx)).is_some();
                is_tx.then(|| format!("`{tx}` is lent to phase two as it is: write `{tx}` alone"))
            }
            _ => None,
        }
    }

    fn parameter(&self, name: &Ident) -> Option<What> {
        let Parameters {
            tx,
            states,
            recorded,
            ..
        } = self.parameters;
        if let Some(found) = recorded.iter().find(|one| one.ident == *name) {
            return Some(What::Recorded(Box::new(found.clone())));
        }
        if let Some(found) = states.iter().find(|one| one.ident == *name) {
            return Some(What::State(Box::new(found.clone())));
        }
        tx.clone().map(|tx| What::Tx(Box::new(tx)))
    }
}
