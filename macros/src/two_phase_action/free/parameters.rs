//! The parameters of a free function, sorted: what callers pass and what phase two is given.

use proc_macro2::Ident;
use syn::punctuated::Punctuated;
use syn::{FnArg, PatType, Token, Type};

use super::model::State;
use crate::diagnostics::Errors;
use crate::syntax::annotated_fn::AnnotatedFn;
use crate::syntax::parameter::{
    Marks, is_exclusive, is_transaction, lent_wrongly, name, names_transaction,
};
use crate::syntax::types::{borrows, has_impl_trait, is_unsized, peeled, same_type};
use crate::two_phase_action::model::RecordedParameter;
use crate::two_phase_action::validate::{Surroundings, check_unique, recorded};

/// The parameters, sorted.
#[derive(Default)]
pub(super) struct Parameters {
    /// Those that callers see.
    pub(super) public: Punctuated<FnArg, Token![,]>,
    pub(super) tx: Option<PatType>,
    pub(super) states: Vec<State>,
    pub(super) recorded: Vec<RecordedParameter>,
    /// Recorded ones as they were written.
    pub(super) types: Vec<Type>,
    /// Names that phase two does not have.
    pub(super) skipped: Vec<Ident>,
    /// What phase two has, in the order of the signature.
    pub(super) in_order: Vec<Ident>,
    /// Whether a mistake was found in one of them.
    pub(super) broken: bool,
}

/// Sorts them; mistakes are taken down.
pub(super) fn sorted(function: &AnnotatedFn, fenced: bool, errors: &mut Errors) -> Parameters {
    let before = errors.count();
    let mut sorted = Parameters::default();
    // Generics are refused as such, not once more in each parameter.
    let mut plain = function.clone();
    plain.sig.generics = syn::Generics::default();
    for input in &function.sig.inputs {
        if let FnArg::Typed(parameter) = input {
            sort(parameter.clone(), &plain, fenced, &mut sorted, errors);
        }
    }
    let exclusive = function.sig.inputs.iter().any(
        |input| matches!(input, FnArg::Typed(parameter) if (is_exclusive(&parameter.ty) || names_transaction(&parameter.ty)) && !is_marked(parameter)),
    );
    if fenced && !exclusive {
        let message = "a fenced action works in the fence's transaction: add `tx: &mut FenceTx<..>` \
                       with the database of the fence; callers do not pass it";
        errors.at(&function.sig.ident, message);
    }
    sorted.broken = errors.count() > before;
    sorted
}

fn is_marked(parameter: &PatType) -> bool {
    let marks = Marks::take(&mut parameter.attrs.clone(), &mut Errors::default());
    marks.skip.is_some() || marks.state.is_some()
}

fn sort(
    mut parameter: PatType,
    function: &AnnotatedFn,
    fenced: bool,
    sorted: &mut Parameters,
    errors: &mut Errors,
) {
    let marks = Marks::take(&mut parameter.attrs, errors);
    if let Some(tried) = &marks.tried {
        let message = "`tried` is named in what a partner is passed: commit = confirm(.., tried)";
        errors.at(tried, message);
        return;
    }
    if has_impl_trait(&parameter.ty) {
        let message = "an action that is a free function is one function: `impl Trait` makes it \
                       many. Name a concrete type, or make it a method of a #[participant]";
        errors.at(&parameter.ty, message);
        return;
    }
    if let Some(kept) = &marks.kept {
        let message = "`#[kept]` stands on a parameter of a phase-two method: make the action a \
                       method of a #[participant], or return the value and pass `tried`";
        errors.at(kept, message);
        return;
    }
    let is_tx = is_exclusive(&parameter.ty) && (fenced || is_transaction(&parameter.ty));
    let not_recorded = marks.skip.is_some() || marks.state.is_some() || is_tx;
    if let (Some((attr, _)), true) = (&marks.recorded, not_recorded) {
        let message = "this parameter is not recorded: remove `#[recorded]`";
        errors.at(attr, message);
    }
    if let Some(mark) = &marks.state {
        if marks.skip.is_some() {
            let message = "state is never recorded: remove `#[skip]`, and list what a partner is \
                           passed if it takes none: commit = confirm(tx)";
            errors.at(mark, message);
            return;
        }
        if let Some(state) = errors.keep(state(parameter)) {
            same_state(&state, sorted, errors);
            sorted.in_order.push(state.ident.clone());
            sorted.states.push(state);
        }
        return;
    }
    if marks.skip.is_some() {
        sorted.skipped.extend(name(&parameter).cloned());
        sorted.public.push(FnArg::Typed(parameter));
        return;
    }
    if is_tx {
        transaction(parameter, fenced, sorted, errors);
        return;
    }
    if fenced
        && names_transaction(&parameter.ty)
        && let Some(message) = lent_wrongly(&parameter.ty)
    {
        errors.at(&parameter.ty, message);
        return;
    }
    record(&parameter, &marks, function, sorted, errors);
    sorted.public.push(FnArg::Typed(parameter));
}

fn transaction(parameter: PatType, fenced: bool, sorted: &mut Parameters, errors: &mut Errors) {
    if !fenced {
        let message = "this action has no fence, so there is no transaction to supply: name its \
                       pool, `fence = db`, in the annotation, or remove this parameter";
        errors.at(&parameter.ty, message);
    } else if sorted.tx.is_some() {
        let message = "one `&mut` parameter is the fence's transaction; mark the other #[skip]";
        errors.at(&parameter, message);
    } else {
        match name(&parameter) {
            Some(name) => sorted.in_order.push(name.clone()),
            None => errors.at(&parameter.pat, "give the fence's transaction a name: tx"),
        }
        sorted.tx = Some(parameter);
    }
}

fn record(
    parameter: &PatType,
    marks: &Marks,
    function: &AnnotatedFn,
    sorted: &mut Parameters,
    errors: &mut Errors,
) {
    let around = Surroundings {
        fenced: false,
        may_have_fence: false,
        in_trait: false,
        map_err: None,
        partners: &[],
    };
    if let Some(recorded) = errors.keep(recorded(parameter, marks, function, &around)) {
        check_unique(&recorded, &sorted.recorded, marks, errors);
        sorted.in_order.push(recorded.ident.clone());
        sorted.types.push((*parameter.ty).clone());
        sorted.recorded.push(recorded);
    }
}

fn same_state(state: &State, sorted: &Parameters, errors: &mut Errors) {
    let same = sorted
        .states
        .iter()
        .find(|other| same_type(&other.held, &state.held));
    if let Some(other) = same {
        let message = format!(
            "state is one value per type, so `{}` and `{}` are the same value: remove one, or wrap \
             them in types of their own",
            other.ident, state.ident
        );
        errors.at(&state.parameter.ty, message);
    }
}

/// `#[state] db: &T` or `#[state] db: T`.
fn state(parameter: PatType) -> syn::Result<State> {
    let error = |message: &str| Err(syn::Error::new_spanned(&parameter.ty, message));
    let Some(ident) = name(&parameter).cloned() else {
        let message = "give this parameter a name; destructure it in the body";
        return Err(syn::Error::new_spanned(&parameter.pat, message));
    };
    let (held, owned) = match peeled(&parameter.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            return error("state is shared: take `&T`, or an owned type that is `Clone`");
        }
        Type::Reference(reference) if reference.lifetime.is_some() => {
            return error(
                "state is lent for the length of the call: write `&T` without a lifetime",
            );
        }
        Type::Reference(reference) => (peeled(&reference.elem).clone(), false),
        other => (other.clone(), true),
    };
    if matches!(held, Type::TraitObject(_) | Type::Slice(_)) || (!owned && is_unsized(&held)) {
        return error(
            "state is found by its type, which has a size: take an owned `Arc` of this one",
        );
    }
    if borrows(&held) {
        return error(
            "state lives as long as the runtime: take a type without references, an `Arc` say",
        );
    }
    Ok(State {
        parameter,
        ident,
        held,
        owned,
    })
}
