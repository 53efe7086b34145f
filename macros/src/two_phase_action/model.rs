//! What an action means once it is checked.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Expr, PatType, Type};

use crate::diagnostics::Errors;
use crate::hygiene::{Arrow, CratePath, at, braces, local, with_self};
use crate::syntax::annotated_fn::{AnnotatedFn, Body};
use crate::syntax::arguments::{Conversion, is_word};
use crate::syntax::async_fn::Shape;
use crate::syntax::parameter::{Form, SelfKind};

/// `fence = EXPRESSION`: what leads to the participant's pool.
#[derive(Clone)]
pub(crate) struct Fence {
    pub(crate) expression: Expr,
    /// Where its `=` stands.
    pub(crate) equals: Span,
}

impl Fence {
    /// The fence of this expression, lent or not.
    pub(crate) fn new(expression: Expr, equals: Span) -> syn::Result<Self> {
        let expression = match expression {
            Expr::Reference(lent) if lent.mutability.is_none() => *lent.expr,
            other => other,
        };
        if let Expr::Lit(literal) = &expression {
            let message = "a fence is an expression that leads to the pool, not its name in quotes: \
                           fence = self.db, or the parameter of a free function that is marked #[state]";
            return Err(syn::Error::new_spanned(literal, message));
        }
        Ok(Self { expression, equals })
    }

    /// Whether it is `fence = none`.
    pub(crate) fn is_none(&self) -> bool {
        is_word(&self.expression, "none")
    }

    /// Whether it is no call.
    pub(crate) fn is_place(&self) -> bool {
        !matches!(self.expression, Expr::Call(_) | Expr::MethodCall(_))
    }

    /// A call returns a value of its own, or lends what it returns; neither can be lent to phase two.
    pub(crate) fn check_is_place(&self, errors: &mut Errors) {
        if !self.is_place() {
            let message = "a fence outlives every call, so name what holds the pool, a field such \
                           as `self.db`; where a method lends it, write `*self.pool()`";
            errors.at(&self.expression, message);
        }
    }

    /// `fence_of({ &EXPRESSION })`, with `this` for `self`. What is wrong with the expression is
    /// said alike, and so once, wherever it is used: the braces keep every error in one place, and
    /// `this` is always a reference.
    pub(crate) fn of(&self, this: &Ident, kind: SelfKind, krate: &CratePath) -> TokenStream {
        let place = at(self.equals);
        let (lent, held) = match kind {
            SelfKind::Lent => (this.clone(), None),
            SelfKind::Arc => {
                let lent = local("__fenced");
                let held = quote_spanned!(place=> let #lent = &*#this;);
                (lent, Some(held))
            }
        };
        let expression = with_self(&self.expression, &lent);
        let fence_of = krate.private_at("fence_of", self.equals);
        let lent = braces(quote_spanned!(place=> #held &#expression), place);
        quote_spanned!(place=> #fence_of(#lent))
    }
}

/// One action: a method with its two partners.
pub(crate) struct Action {
    /// The method as callers see it: no `tx`, none of our attributes.
    pub(crate) method: AnnotatedFn,
    pub(crate) body: Body,
    pub(crate) shape: Shape,
    /// Its name on the wire.
    pub(crate) name: String,
    /// Names under which other versions know it.
    pub(crate) aliases: Vec<String>,
    /// Whether it has the participant's fence.
    pub(crate) fenced: bool,
    /// Whether its rollback method is called although no try left a row.
    pub(crate) always_cancel: bool,
    pub(crate) line: u32,
    pub(crate) self_kind: SelfKind,
    /// The receiver's `self`.
    pub(crate) receiver: Ident,
    /// The parameter that is the fence's transaction, behind a fence.
    pub(crate) tx: Option<PatType>,
    pub(crate) recorded: Vec<RecordedParameter>,
    /// What it returns, where that is written.
    pub(crate) output: Type,
    pub(crate) arrow: Arrow,
    /// None where nobody is called.
    pub(crate) commit: Option<Call>,
    pub(crate) rollback: Option<Call>,
    pub(crate) map_err: Option<Conversion>,
}

impl Action {
    /// Whether a partner takes what phase one returned.
    pub(crate) fn keeps_tried(&self) -> bool {
        let mut calls = [&self.commit, &self.rollback].into_iter().flatten();
        calls.any(Call::takes_tried)
    }

    /// The conditions under which the method exists.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.method
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("cfg"))
    }
}

/// A parameter that is recorded for phase two.
#[derive(Clone)]
pub(crate) struct RecordedParameter {
    pub(crate) ident: Ident,
    /// Where its `:` stands: errors about its type are reported there.
    pub(crate) colon: Span,
    pub(crate) form: Form,
    /// The name on the wire.
    pub(crate) wire: String,
    /// Whether a default stands in where nothing was recorded.
    pub(crate) default: bool,
}

/// The call of a partner in phase two.
pub(crate) struct Call {
    /// The partner's name, at the place where the action names it.
    pub(crate) partner: Ident,
    pub(crate) equals: Span,
    pub(crate) self_kind: SelfKind,
    pub(crate) arrow: Arrow,
    /// What it takes, in its own order.
    pub(crate) passed: Vec<Passed>,
}

impl Call {
    /// Whether the partner takes what phase one returned.
    pub(crate) fn takes_tried(&self) -> bool {
        let mut passed = self.passed.iter();
        passed.any(|passed| matches!(passed.what, What::Tried { .. }))
    }
}

/// One argument of a partner.
pub(crate) struct Passed {
    pub(crate) what: What,
    /// Where the `:` of the partner's parameter stands: a type that does not fit is reported there.
    pub(crate) colon: Span,
}

/// What is passed for a partner's parameter.
pub(crate) enum What {
    /// The fence's transaction.
    Tx,
    /// The branch's context.
    Context,
    /// What phase one returned.
    Tried {
        /// `Option<&T>` instead of `&T`.
        optional: bool,
        /// `T` is unsized: `str`, say.
        unsized_: bool,
    },
    /// A value that phase one recorded or kept.
    Read(Box<Read>),
}

/// A value that is read by its name.
pub(crate) struct Read {
    pub(crate) from: From,
    /// The name on the wire.
    pub(crate) wire: String,
    /// Names the local that holds it.
    pub(crate) local: Local,
    pub(crate) form: Form,
    /// Where the `:` of the recorded parameter stands: errors about its type are reported there.
    pub(crate) colon: Span,
    pub(crate) how: Handing,
}

/// Where a value is read from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum From {
    /// The recorded arguments.
    Arguments,
    /// The recorded arguments, or the type's default.
    ArgumentsOrDefault,
    /// What phase one kept.
    Kept,
    /// What phase one may have kept.
    KeptOrNot,
}

/// What the local that holds a value is named after.
#[derive(Clone)]
pub(crate) enum Local {
    /// A parameter of the action.
    Of(Ident),
    /// A parameter that only the partner has.
    OfPartner(Ident),
}

/// How a value that phase two has read is handed to a partner.
#[derive(Clone)]
pub(crate) enum Handing {
    /// `user`.
    Move,
    /// `&user`.
    Lend,
    /// `user.as_ref()`, for `Option<&T>`.
    LendInside,
    /// `user.as_deref()`, for `Option<&str>`.
    LendUnsizedInside,
    /// `lent_inside::<T>(&user)`, for `Option<&T>` where that is what was recorded.
    LendRecordedInside(Box<Type>),
    /// `Cow::Owned(user)`.
    IntoCow,
    /// `user.into_owned()`.
    OutOfCow,
}

impl Read {
    /// The value in this local, as the partner takes it.
    pub(crate) fn handed(&self, value: &Ident, span: Span, krate: &CratePath) -> TokenStream {
        match self.how {
            Handing::Move => quote_spanned!(span=> #value),
            Handing::Lend => quote_spanned!(span=> &#value),
            Handing::LendInside => quote_spanned!(span=> #value.as_ref()),
            Handing::LendUnsizedInside => quote_spanned!(span=> #value.as_deref()),
            Handing::LendRecordedInside(ref ty) => lent_inside(value, ty, span, krate),
            Handing::IntoCow => quote_spanned!(span=> ::std::borrow::Cow::Owned(#value)),
            Handing::OutOfCow => quote_spanned!(span=> #value.into_owned()),
        }
    }
}

/// `lent_inside::<T>(&user)`.
pub(crate) fn lent_inside(value: &Ident, ty: &Type, span: Span, krate: &CratePath) -> TokenStream {
    let lend = krate.private_at("lent_inside", span);
    quote_spanned!(span=> #lend::<#ty>(&#value))
}
