//! One parameter of an action or of a phase-two method: its marks, its name, and the form in which
//! it is recorded for phase two.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{
    Attribute, FnArg, GenericParam, Generics, LitStr, Meta, Pat, PatType, Receiver, ReceiverKind,
    Type,
};

use super::arguments::{Accepted, literal_name, parse as parse_arguments};
use super::types::{
    argument_of, borrows, has_impl_trait, is_named, lent, mentions, peeled, shown, static_cow,
};
use crate::diagnostics::{Errors, similar};

/// How a method takes its participant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SelfKind {
    /// `&self`.
    Lent,
    /// `self: Arc<Self>`.
    Arc,
}

/// How a method takes its participant, or the mistake.
pub(crate) fn self_kind(receiver: &Receiver) -> syn::Result<SelfKind> {
    let typed = match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => return Ok(SelfKind::Lent),
        ReceiverKind::Typed(_, ty) => Some(ty),
        _ => None,
    };
    match typed {
        Some(ty) if lent(ty).is_some_and(|ty| is_named(ty, "Self")) => Ok(SelfKind::Lent),
        Some(ty) if argument_of(ty, "Arc").is_some_and(|ty| is_named(ty, "Self")) => {
            Ok(SelfKind::Arc)
        }
        _ => Err(syn::Error::new_spanned(
            receiver,
            "a participant is shared: take &self or self: Arc<Self>",
        )),
    }
}

/// The words that may stand before a parameter.
pub(crate) const MARKS: &[&str] = &["skip", "tried", "kept", "recorded", "state"];

/// What may be written in `#[recorded(..)]` on a parameter.
pub(crate) const RECORDED: &[Accepted] = &[
    Accepted {
        name: "name",
        example: "name = \"old_name\"",
    },
    Accepted {
        name: "default",
        example: "default",
    },
];

/// `#[recorded(name = "..", default)]`.
#[derive(Clone, Default)]
pub(crate) struct RecordedAs {
    /// The name on the wire, where it is not the parameter's.
    pub(crate) name: Option<LitStr>,
    /// Whether the type's default stands in where nothing was recorded.
    pub(crate) default: bool,
}

impl RecordedAs {
    fn parse(attr: &Attribute, errors: &mut Errors) -> Self {
        let mut found = Self::default();
        let Meta::List(list) = &attr.meta else {
            let message = "write #[recorded(name = \"..\")], #[recorded(default)] or both";
            errors.at(&attr.meta, message);
            return found;
        };
        let tokens = list.tokens.clone();
        let _ = parse_arguments("recorded", RECORDED, tokens, errors, |key, input| {
            if key == "name" {
                found.name = Some(literal_name(key, input)?);
            } else {
                found.default = true;
            }
            Ok(())
        });
        found
    }
}

/// The words before a parameter: see [`MARKS`].
#[derive(Default)]
pub(crate) struct Marks {
    pub(crate) skip: Option<Attribute>,
    pub(crate) tried: Option<Attribute>,
    pub(crate) kept: Option<Attribute>,
    /// With the attribute, for messages.
    pub(crate) recorded: Option<(Attribute, RecordedAs)>,
    pub(crate) state: Option<Attribute>,
}

impl Marks {
    /// Takes our words off the attributes of a parameter; all others stay.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut marks = Self::default();
        attrs.retain(|attr| {
            let Some(word) = word_of(attr, errors) else {
                return true;
            };
            marks.put(word, attr, errors);
            false
        });
        let mut conditions = attrs.iter().filter(|attr| is_condition(attr));
        if let (None, Some(condition)) = (&marks.skip, conditions.next()) {
            let message = "what is recorded must not depend on a condition, as phase two may run in \
                           another build: put `#[cfg]` on the whole function, or mark the parameter \
                           #[skip]";
            errors.at(condition, message);
        }
        marks
    }

    fn put(&mut self, word: &str, attr: &Attribute, errors: &mut Errors) {
        let mark = match word {
            "skip" => &mut self.skip,
            "tried" => &mut self.tried,
            "kept" => &mut self.kept,
            "state" => &mut self.state,
            // The table holds no other word.
            _ => {
                let recorded = RecordedAs::parse(attr, errors);
                if self.recorded.replace((attr.clone(), recorded)).is_some() {
                    errors.at(attr, twice(word));
                }
                return;
            }
        };
        if !matches!(attr.meta, Meta::Path(_)) {
            let name = if word == "kept" {
                "; where the value was kept under another name than the parameter's, add \
                 #[recorded(name = \"..\")]"
            } else {
                ""
            };
            let message = format!("`#[{word}]` takes nothing: write it alone{name}");
            errors.at(&attr.meta, message);
        }
        if mark.replace(attr.clone()).is_some() {
            errors.at(attr, twice(word));
        }
    }

    /// How the parameter is recorded.
    pub(crate) fn recorded_as(&self) -> RecordedAs {
        self.recorded
            .as_ref()
            .map_or_else(RecordedAs::default, |(_, found)| found.clone())
    }
}

/// Which of our words this is. A misspelt one is taken for what it was meant to be: no other macro's
/// words are like ours on a parameter, and rustc would say no more than that it does not know it.
fn word_of(attr: &Attribute, errors: &mut Errors) -> Option<&'static str> {
    let words = MARKS.iter().copied();
    let path = attr.path();
    if let Some(word) = words.clone().find(|word| path.is_ident(word)) {
        return Some(word);
    }
    let written = path.get_ident()?.to_string();
    let of_rust = [
        "allow", "cfg", "cfg_attr", "deny", "doc", "expect", "forbid", "warn",
    ];
    if of_rust.contains(&written.as_str()) {
        return None;
    }
    let meant = similar(&written, words)?;
    errors.at(path, format!("did you mean `#[{meant}]`?"));
    Some(meant)
}

fn twice(word: &str) -> String {
    format!("`#[{word}]` is given twice; keep one of the two")
}

fn is_condition(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr")
}

/// Takes our words off every parameter of a signature.
pub(crate) fn strip_marks(inputs: &mut syn::punctuated::Punctuated<FnArg, syn::Token![,]>) {
    for input in inputs {
        if let FnArg::Typed(parameter) = input {
            Marks::take(&mut parameter.attrs, &mut Errors::default());
        }
    }
}

/// The name of a parameter, if it has one: `user` or `mut user`.
pub(crate) fn name(parameter: &PatType) -> Option<&Ident> {
    match parameter.pat.as_ref() {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(&pat.ident),
        _ => None,
    }
}

/// The word under which a parameter is recorded: `type` of `r#type`.
pub(crate) fn recorded_name(name: &Ident) -> String {
    name.unraw().to_string()
}

/// Whether the type is `&mut ..`.
pub(crate) fn is_exclusive(ty: &Type) -> bool {
    matches!(peeled(ty), Type::Reference(reference) if reference.mutability.is_some())
}

/// Whether the type is `&BranchContext`.
pub(crate) fn is_context(ty: &Type) -> bool {
    lent(ty).is_some_and(|ty| is_named(ty, "BranchContext"))
}

/// Whether the type is a `BranchContext`, lent or not.
pub(crate) fn names_context(ty: &Type) -> bool {
    is_context(ty) || is_named(ty, "BranchContext")
}

/// Whether the type is a `FenceTx`, however it is lent.
pub(crate) fn names_transaction(ty: &Type) -> bool {
    match peeled(ty) {
        Type::Reference(reference) => is_named(&reference.elem, "FenceTx"),
        other => is_named(other, "FenceTx"),
    }
}

/// Whether the type is a context or a transaction that is not lent as phase two lends it.
pub(crate) fn lent_wrongly(ty: &Type) -> Option<&'static str> {
    let (inner, exclusive) = match peeled(ty) {
        Type::Reference(reference) => (&*reference.elem, reference.mutability.is_some()),
        _ => (ty, false),
    };
    let is_owned = !matches!(peeled(ty), Type::Reference(_));
    if is_named(inner, "BranchContext") && (is_owned || exclusive) {
        return Some("the context of a branch is lent: take `&BranchContext`");
    }
    (is_named(inner, "FenceTx") && !exclusive)
        .then_some("the fence's transaction is lent for its phase: take `&mut FenceTx<..>`")
}

/// How a recorded parameter is written, which decides what phase two reads it as.
#[derive(Clone)]
pub(crate) enum Form {
    /// `T`.
    Owned(Type),
    /// `&T`, read back as what `T: ToOwned` names.
    Lent(Type),
    /// `Option<&T>`.
    OptionLent(Type),
    /// `Cow<'_, T>`, read back with the lifetime `'static`.
    Cow(Type),
}

impl Form {
    /// The form of this type, or why it cannot be recorded.
    pub(crate) fn of(ty: &Type, generics: &Generics, in_trait: bool) -> Result<Self, String> {
        if has_impl_trait(ty) || mentions(ty, &type_parameters(generics)) {
            return Err(
                "phase two cannot know this type: it runs in another process, from recorded \
                        arguments. Name a concrete type, or mark the parameter #[skip]"
                    .to_owned(),
            );
        }
        if is_exclusive(ty) || names_transaction(ty) {
            return Err(exclusive(ty));
        }
        if in_trait && is_request(ty) {
            return Err(
                "a request cannot be recorded for phase two: leave the handler without \
                        #[two_phase_action] and let it call, in one line, an action of an inherent \
                        impl: self.accounts.debit(&request.user, request.amount).await"
                    .to_owned(),
            );
        }
        let (form, inner) = if let Some(inner) = lent(ty) {
            (Self::Lent(inner.clone()), inner)
        } else if let Some(inner) = argument_of(ty, "Option").and_then(lent) {
            (Self::OptionLent(inner.clone()), inner)
        } else if let Some(inner) = argument_of(ty, "Cow") {
            (Self::Cow(ty.clone()), inner)
        } else {
            (Self::Owned(ty.clone()), ty)
        };
        if borrows(inner) {
            Err(nested(ty))
        } else {
            Ok(form)
        }
    }

    /// The type that phase two reads.
    pub(crate) fn owned(&self) -> TokenStream {
        match self {
            Self::Owned(ty) => quote!(#ty),
            Self::Lent(ty) => quote!(<#ty as ::std::borrow::ToOwned>::Owned),
            Self::OptionLent(ty) => {
                quote!(::core::option::Option<<#ty as ::std::borrow::ToOwned>::Owned>)
            }
            Self::Cow(ty) => static_cow(ty),
        }
    }
}

fn exclusive(ty: &Type) -> String {
    if names_transaction(ty) {
        return "this participant has no fence, so there is no transaction to supply: add `fence = \
                self.db` to #[participant], or remove this parameter"
            .to_owned();
    }
    "`&mut` cannot be recorded for phase two; take it by value or by `&`, or mark it #[skip]"
        .to_owned()
}

/// Whether the type is `&mut FenceTx<..>` by its name.
pub(crate) fn is_transaction(ty: &Type) -> bool {
    match peeled(ty) {
        Type::Reference(reference) => {
            reference.mutability.is_some() && is_named(&reference.elem, "FenceTx")
        }
        _ => false,
    }
}

/// A tonic request or stream of them.
fn is_request(ty: &Type) -> bool {
    ["Request", "Streaming"]
        .iter()
        .any(|name| argument_of(ty, name).is_some())
}

/// The names of a method's own type and const parameters.
fn type_parameters(generics: &Generics) -> Vec<&Ident> {
    generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect()
}

fn nested(ty: &Type) -> String {
    let instead = match owned_instead(ty) {
        Some(owned) => format!("use owned values (`{owned}` instead of `{}`)", shown(ty)),
        None => "use owned values".to_owned(),
    };
    format!(
        "references inside a parameter's type cannot be recorded for phase two; {instead}, or mark \
         it `#[skip]`"
    )
}

/// The type with what it holds owned, where that can be read off: `&[String]` of `&[&str]`.
fn owned_instead(ty: &Type) -> Option<String> {
    let owned = |ty: &Type| match lent(ty).map(peeled)? {
        Type::Slice(slice) if !borrows(&slice.elem) => Some(format!("Vec<{}>", shown(&slice.elem))),
        inner if is_named(inner, "str") => Some("String".to_owned()),
        inner if !borrows(inner) => Some(shown(inner)),
        _ => None,
    };
    let element = |ty: &Type| {
        if borrows(ty) {
            owned(ty)
        } else {
            Some(shown(ty))
        }
    };
    match peeled(ty) {
        Type::Reference(reference) => match peeled(&reference.elem) {
            Type::Slice(slice) => Some(format!("&[{}]", element(&slice.elem)?)),
            inner => owned(inner).map(|owned| format!("&{owned}")),
        },
        Type::Tuple(tuple) => {
            let elements = tuple
                .elems
                .iter()
                .map(element)
                .collect::<Option<Vec<_>>>()?;
            Some(format!("({})", elements.join(", ")))
        }
        _ => ["Vec", "Option"].into_iter().find_map(|outer| {
            let inner = argument_of(ty, outer)?;
            Some(format!("{outer}<{}>", element(inner)?))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<String, String> {
        let ty = syn::parse_str(text).unwrap();
        let generics = syn::parse_quote!(<'a, G, const N: usize>);
        Form::of(&ty, &generics, true).map(|form| shown(form.owned()))
    }

    #[test]
    fn every_form_that_can_be_recorded_has_its_owned_type() {
        for (written, owned) in [
            ("i64", "i64"),
            ("Vec<R::Id>", "Vec<R::Id>"),
            ("&str", "<str as::std::borrow::ToOwned>::Owned"),
            ("&'a [u8]", "<[u8]as::std::borrow::ToOwned>::Owned"),
            (
                "Option<&str>",
                "::core::option::Option<<str as::std::borrow::ToOwned>::Owned>",
            ),
            ("Option<u8>", "Option<u8>"),
            ("Cow<'_, str>", "Cow<'static, str>"),
            ("Cow<'a, [u8]>", "Cow<'static, [u8]>"),
        ] {
            assert_eq!(form(written).as_deref(), Ok(owned), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_recorded_is_refused_with_a_way_out() {
        for (written, message) in [
            ("G", "phase two cannot know this type"),
            ("Vec<G>", "phase two cannot know this type"),
            ("[u8; N]", "phase two cannot know this type"),
            ("impl Display", "phase two cannot know this type"),
            ("&mut u8", "`&mut` cannot be recorded"),
            ("&[&str]", "(`&[String]` instead of `&[&str]`)"),
            ("(&str, u8)", "(`(String, u8)` instead of `(&str, u8)`)"),
            ("Vec<&[u8]>", "(`Vec<Vec<u8>>` instead of `Vec<&[u8]>`)"),
            ("&&str", "(`&String` instead of `&&str`)"),
            ("Row<'a>", "use owned values, or mark"),
            ("tonic::Request<Debit>", "an action of an inherent impl"),
        ] {
            let error = form(written).unwrap_err();
            assert!(error.contains(message), "{written}: {error}");
            assert!(
                error.contains("skip") || written.contains("Request"),
                "{written}: {error}"
            );
        }
    }
}
