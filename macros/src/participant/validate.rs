//! Rules across the methods of a participant.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, GenericParam, ItemImpl, LitStr, Meta, Type};

use super::args::Args;
use super::bounds;
use super::model::Model;
use crate::diagnostics::{Errors, quoted, similar};
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::impl_block::ImplBlock;
use crate::syntax::types::{argument_of, borrows, peeled};
use crate::two_phase_action::args::{self as action_args, Args as ActionArgs, Named, Partnered};
use crate::two_phase_action::is_ours;
use crate::two_phase_action::partner::{self, Partner};
use crate::two_phase_action::validate::{Surroundings, validate as validate_action};

/// A method with its attribute, read.
struct Annotated<'a> {
    method: &'a AnnotatedFn,
    attr: Attribute,
    args: ActionArgs,
}

/// The participant, checked; nothing if a mistake was found.
pub(crate) fn validate(block: &ImplBlock, args: Args, errors: &mut Errors) -> Option<Model> {
    check_block(block, &args, errors);
    if block.methods().any(is_boxed_already) {
        let message = "#[async_trait] has boxed these methods already: put #[participant] above it";
        errors.at(block.header.impl_token, message);
        return None;
    }
    let fenced = args.written.iter().any(|key| key == "fence");
    let mut annotated = annotated(block, errors);
    let bare = bare_partners(&annotated);
    annotated.retain(|one| {
        let is_bare = bare.contains(&one.method.sig.ident);
        if is_bare {
            let message =
                "a method that another action names carries no attribute: remove this one";
            errors.at(one.attr.path(), message);
        }
        !is_bare
    });
    if annotated.is_empty() {
        let message = "no method of this impl block is an action: mark one with \
                       #[two_phase_action(commit = .., rollback = ..)]; it is not recognised under \
                       another name (`use .. as ..`) or inside `cfg_attr`";
        errors.at(block.header.impl_token, message);
    }
    let (partners, names) = partners(block, &annotated, &bare, fenced, errors);
    let around = Surroundings {
        fenced,
        may_have_fence: fenced,
        in_trait: block.header.trait_.is_some(),
        map_err: args.map_err.as_ref(),
        partners: &partners,
    };
    let mut seen = BTreeSet::new();
    let mut actions = Vec::new();
    for Annotated { method, attr, args } in annotated {
        check_unique(&args, method, &mut seen, errors);
        actions.extend(validate_action(method, &attr, args, &around, errors));
    }
    // A missing `fence` is one mistake, however many parameters wait for it.
    errors.keep_one(NO_FENCE, "so there is no transaction to supply");
    Some(Model {
        name: args.name?,
        fence: args.fence,
        any_instance: args.any_instance.is_some(),
        actions,
        partners: names,
        krate: args.krate,
    })
}

/// How messages about a transaction begin that a participant cannot supply.
const NO_FENCE: &str = "this participant has no fence";

fn check_block(block: &ImplBlock, args: &Args, errors: &mut Errors) {
    if !args.written.iter().any(|key| key == "name") {
        let message = "`name` is missing: a participant has a name that stays the same as long as \
                       transactions may be open: #[participant(name = \"account\")]";
        errors.at_span(Span::call_site(), message);
    }
    if let (Some(written), true) = (
        &args.any_instance,
        args.written.iter().any(|key| key == "fence"),
    ) {
        let message = "`any_instance` is for participants without a fence: behind a fence an \
                       instance belongs to the participant that has its pool; remove `any_instance`";
        errors.at(written, message);
    }
    for parameter in &block.header.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            let message = "a participant lives as long as the runtime, so its type has no lifetime \
                           parameters: hold owned values, an `Arc` or a pool";
            errors.at(lifetime, message);
        }
    }
    check_type(block, errors);
    bounds::check(&block.header.generics, errors);
    if let Some(fence) = &args.fence {
        fence.check_is_place(errors);
    }
}

/// What can be seen of the type itself: that it is a type of its own, and holds no reference.
fn check_type(block: &ImplBlock, errors: &mut Errors) {
    let ty = &block.header.self_ty;
    if !is_own_type(&block.header) {
        let message = "a participant is a type of yours, and the runtime shares it: write `impl` for \
                       the struct that holds this";
        errors.at(ty, message);
    } else if borrows(ty) && block.header.generics.lifetimes().next().is_none() {
        let message = "a participant lives as long as the runtime, so its type holds no references: \
                       hold owned values, an `Arc` or a pool";
        errors.at(ty, message);
    }
}

/// Whether the type may be one of the user's: those are named by a path, as structs and enums are.
/// That other types are of another crate only rustc knows.
pub(super) fn is_own_type(header: &ItemImpl) -> bool {
    let Type::Path(path) = peeled(&header.self_ty) else {
        return false;
    };
    let mut parameters = header.generics.type_params();
    let of_std = ["Arc", "Rc", "Vec"].iter();
    !parameters.any(|parameter| path.path.is_ident(&parameter.ident))
        && !of_std
            .clone()
            .any(|name| argument_of(&header.self_ty, name).is_some())
}

/// Whether `#[async_trait]` has changed this method.
fn is_boxed_already(method: &AnnotatedFn) -> bool {
    let mut lifetimes = method.sig.generics.lifetimes();
    lifetimes.any(|parameter| parameter.lifetime.ident == "async_trait")
}

/// Every method that carries our attribute.
fn annotated<'a>(block: &'a ImplBlock, errors: &mut Errors) -> Vec<Annotated<'a>> {
    let mut found = Vec::new();
    for method in block.methods() {
        let mut attrs = method.attrs.iter().filter(|attr| is_ours(attr));
        let Some(attr) = attrs.next() else { continue };
        if let Some(second) = attrs.next() {
            errors.at(
                second.path(),
                "this method is an action already; keep one of the two",
            );
        }
        let tokens = match &attr.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(pair) => {
                let message = "write #[two_phase_action(commit = confirm, rollback = cancel)]";
                errors.at(pair, message);
                continue;
            }
        };
        let args = action_args::parse(tokens, errors);
        found.push(Annotated {
            method,
            attr: attr.clone(),
            args,
        });
    }
    found
}

/// Every method that an action names, each read once, and the names of all of them.
fn partners(
    block: &ImplBlock,
    annotated: &[Annotated<'_>],
    bare: &[Ident],
    fenced: bool,
    errors: &mut Errors,
) -> (Vec<Partner>, BTreeSet<String>) {
    let (mut partners, mut names) = (Vec::new(), BTreeSet::new());
    for Annotated { args, .. } in annotated {
        let partnered = [&args.commit, &args.rollback].into_iter().flatten();
        for named in partnered.filter_map(Partnered::named) {
            let Some(method) = find(block, named, bare, errors) else {
                continue;
            };
            if names.insert(named.ident.to_string()) {
                partners.extend(partner::read(method, fenced, errors));
            }
        }
    }
    (partners, names)
}

/// Partners that carry the attribute, without arguments, as if they were actions.
fn bare_partners(annotated: &[Annotated<'_>]) -> Vec<Ident> {
    let named: Vec<&Ident> = annotated
        .iter()
        .flat_map(|one| [&one.args.commit, &one.args.rollback].into_iter().flatten())
        .filter_map(|partnered| Some(&partnered.named()?.ident))
        .collect();
    annotated
        .iter()
        .filter(|one| one.args.written.is_empty())
        .map(|one| &one.method.sig.ident)
        .filter(|ident| named.contains(ident))
        .cloned()
        .collect()
}

fn find<'a>(
    block: &'a ImplBlock,
    named: &Named,
    bare: &[Ident],
    errors: &mut Errors,
) -> Option<&'a AnnotatedFn> {
    let ident = &named.ident;
    let Some(method) = block.methods().find(|method| method.sig.ident == *ident) else {
        errors.at(ident, not_found(block, ident));
        return None;
    };
    if method.attrs.iter().any(is_ours) && !bare.contains(ident) {
        let message =
            format!("`{ident}` is an action itself; name a method that ends a branch of this one");
        errors.at(ident, message);
        return None;
    }
    Some(method)
}

fn not_found(block: &ImplBlock, ident: &Ident) -> String {
    let names: Vec<String> = block
        .methods()
        .filter(|method| !method.attrs.iter().any(is_ours))
        .map(|method| method.sig.ident.to_string())
        .collect();
    let hint = match similar(&ident.to_string(), names.iter().map(String::as_str)) {
        Some(name) => format!("; a method with a similar name exists: `{name}`"),
        None if names.is_empty() => "; write it beside this one".to_owned(),
        None => format!(
            "; write it here, beside the action: its other methods are {}",
            quoted(&names)
        ),
    };
    format!("no method `{ident}` in this impl block{hint}")
}

/// Names of actions are a wire format: two of one name could not be told apart.
fn check_unique(
    args: &ActionArgs,
    method: &AnnotatedFn,
    seen: &mut BTreeSet<String>,
    errors: &mut Errors,
) {
    let ident = &method.sig.ident;
    // The same method under two conditions (`#[cfg]`) exists once.
    let conditional = method.attrs.iter().any(|attr| attr.path().is_ident("cfg"));
    let mut one = |name: String, written: Option<&LitStr>| {
        if seen.insert(name.clone()) || conditional {
            return;
        }
        let message =
            format!("two actions of this participant are named `{name}`; give one another name");
        match written {
            Some(written) => errors.at(written, message),
            None => errors.at(ident, message),
        }
    };
    match &args.name {
        Some(written) => one(written.value(), Some(written)),
        None => one(ident.unraw().to_string(), None),
    }
    let own = match &args.name {
        Some(written) => written.value(),
        None => ident.unraw().to_string(),
    };
    let (needless, aliases): (Vec<&LitStr>, Vec<&LitStr>) =
        args.alias.iter().partition(|alias| alias.value() == own);
    for alias in aliases {
        one(alias.value(), Some(alias));
    }
    for alias in needless {
        let message = "the action is known under its own name anyway: remove this alias";
        errors.at(alias, message);
    }
}
