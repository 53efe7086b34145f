//! What an action that is a free function means once it is checked.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, ExprPath, LitStr, PatType, Type};

use crate::hygiene::{Arrow, CratePath};
use crate::syntax::annotated_fn::{AnnotatedFn, Body};
use crate::syntax::arguments::Conversion;
use crate::syntax::async_fn::Shape;
use crate::syntax::parameter::recorded_name;
use crate::two_phase_action::model::{Fence, RecordedParameter};

/// A free function with its two partners.
pub(crate) struct Action {
    /// The function as callers see it: no `tx`, no state, none of our attributes.
    pub(crate) function: AnnotatedFn,
    pub(crate) body: Body,
    pub(crate) shape: Shape,
    /// Its name on the wire; without one its path.
    pub(crate) name: Option<LitStr>,
    /// Names under which other versions provide it.
    pub(crate) aliases: Vec<LitStr>,
    /// Whether its rollback partner is called although no try left a row.
    pub(crate) always_cancel: bool,
    pub(crate) line: u32,
    /// The parameter that is the fence's transaction, behind a fence.
    pub(crate) tx: Option<PatType>,
    pub(crate) states: Vec<State>,
    pub(crate) recorded: Vec<RecordedParameter>,
    /// What it returns, where that is written.
    pub(crate) output: Type,
    pub(crate) arrow: Arrow,
    pub(crate) fence: Option<Fence>,
    pub(crate) commit: Option<Call>,
    pub(crate) rollback: Option<Call>,
    pub(crate) map_err: Option<Conversion>,
    pub(crate) krate: CratePath,
}

impl Action {
    /// Whether a partner takes what phase one returned.
    pub(crate) fn keeps_tried(&self) -> bool {
        self.calls()
            .flat_map(|call| &call.bound)
            .any(|bound| matches!(bound.what, What::Tried { .. }))
    }

    /// Whether anything but the body uses this state.
    pub(crate) fn is_used_outside(&self, state: &Ident) -> bool {
        let in_fence = self.fence.as_ref().is_some_and(|fence| {
            super::mention::of(&fence.expression, &recorded_name(state)).is_some()
        });
        in_fence
            || self.calls().flat_map(|call| &call.bound).any(|bound| {
                matches!(bound.what, What::State(_))
                    && recorded_name(&bound.ident) == recorded_name(state)
            })
    }

    fn calls(&self) -> impl Iterator<Item = &Call> {
        [&self.commit, &self.rollback].into_iter().flatten()
    }

    /// The conditions under which the function exists.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        let attrs = self.function.attrs.iter();
        attrs.filter(|attr| attr.path().is_ident("cfg"))
    }
}

/// A parameter that is found by its type.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) parameter: PatType,
    pub(crate) ident: Ident,
    /// The type by which it is found.
    pub(crate) held: Type,
    /// `T` instead of `&T`.
    pub(crate) owned: bool,
}

/// The call of a partner in phase two.
pub(crate) struct Call {
    pub(crate) partner: ExprPath,
    pub(crate) equals: Span,
    /// Where what is passed is listed, or the `=`.
    pub(crate) parens: Span,
    /// Whether it is passed every parameter in order.
    pub(crate) by_position: bool,
    /// What is passed.
    pub(crate) arguments: TokenStream,
    /// What the arguments name; nothing else is read.
    pub(crate) bound: Vec<Bound>,
}

/// A local of phase two.
pub(crate) struct Bound {
    /// Its name, as the arguments write it.
    pub(crate) ident: Ident,
    pub(crate) what: What,
}

/// What a local of phase two holds.
pub(crate) enum What {
    /// The fence's transaction.
    Tx(Box<PatType>),
    /// The branch's context.
    Branch,
    /// What phase one returned.
    Tried {
        /// `Option<&T>` instead of `&T`.
        optional: bool,
    },
    /// A state.
    State(Box<State>),
    /// A recorded parameter.
    Recorded(Box<RecordedParameter>),
}
