//! What may be written in `#[two_phase_action(..)]`.

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Expr, LitStr, Member, Token};

use super::model::Fence;
use crate::diagnostics::Errors;
use crate::hygiene::CratePath;
use crate::syntax::arguments::{
    Accepted, Conversion, UNKNOWN, as_text, conversion, crate_path, expression, is_word,
    literal_name, literal_names, parse as parse_arguments,
};

/// Every argument on a method. The manual has a heading for each.
pub(crate) const ACCEPTED: &[Accepted] = &[
    Accepted {
        name: "commit",
        example: "commit = confirm",
    },
    Accepted {
        name: "rollback",
        example: "rollback = cancel",
    },
    Accepted {
        name: "name",
        example: "name = \"debit\"",
    },
    Accepted {
        name: "alias",
        example: "alias = [\"old_name\"]",
    },
    Accepted {
        name: "fence",
        example: "fence = none",
    },
    Accepted {
        name: "always_cancel",
        example: "always_cancel",
    },
    Accepted {
        name: "map_err",
        example: "map_err = AccountError::transaction",
    },
];

/// A method named for phase two.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) ident: Ident,
    /// Where the `=` before it stands: errors about the call to it are reported there.
    pub(crate) equals: Span,
}

/// Who ends the branch after one of the two decisions.
#[derive(Clone)]
pub(crate) enum Partnered<N = Named> {
    /// `commit = confirm`.
    Named(N),
    /// `commit = none`: nobody is called. The place of the word.
    Nobody(Span),
}

impl<N> Partnered<N> {
    /// What is named, if anything is.
    pub(crate) fn named(&self) -> Option<&N> {
        match self {
            Self::Named(named) => Some(named),
            Self::Nobody(_) => None,
        }
    }
}

/// The arguments as they were written, on a method or on a free function: what they name differs.
pub(crate) struct Args<N = Named> {
    pub(crate) name: Option<LitStr>,
    /// Names under which instances of other versions know the action.
    pub(crate) alias: Vec<LitStr>,
    pub(crate) commit: Option<Partnered<N>>,
    pub(crate) rollback: Option<Partnered<N>>,
    pub(crate) fence: Option<Fence>,
    /// Where `always_cancel` stands.
    pub(crate) always_cancel: Option<Ident>,
    pub(crate) map_err: Option<Conversion>,
    /// On a free function; a method has that of its participant.
    pub(crate) krate: CratePath,
    /// Keys that were written, with or without mistakes in their values: those are not missing.
    pub(crate) written: Vec<String>,
}

/// Reads the arguments of a method; mistakes are taken down, each at its own place.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    parse_with(ACCEPTED, tokens, errors, "method", method)
}

/// Reads the arguments in the table. `kind` is what `commit` and `rollback` name, and `named` reads
/// the value behind the `=` that stands there.
pub(super) fn parse_with<N>(
    accepted: &[Accepted],
    tokens: TokenStream,
    errors: &mut Errors,
    kind: &str,
    named: fn(&Ident, Expr, Span) -> syn::Result<N>,
) -> Args<N> {
    let mut args = Args {
        name: None,
        alias: Vec::new(),
        commit: None,
        rollback: None,
        fence: None,
        always_cancel: None,
        map_err: None,
        krate: CratePath::default(),
        written: Vec::new(),
    };
    let partnered = |key: &Ident, input: ParseStream<'_>| partnered(key, input, kind, named);
    let written = parse_arguments(
        "two_phase_action",
        accepted,
        tokens,
        errors,
        |key, input| args.take(key, input, partnered),
    );
    args.written = written;
    args
}

impl<N> Args<N> {
    /// Whether the argument was written, well or badly.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.written.iter().any(|written| written == key)
    }

    /// Which of these are missing; none where as many were written under names that say nothing.
    pub(crate) fn missing<'a>(&self, keys: &[&'a str]) -> Vec<&'a str> {
        let missing = keys.iter().copied().filter(|key| !self.has(key));
        let missing: Vec<&str> = missing.collect();
        let unknown = self.written.iter().filter(|written| *written == UNKNOWN);
        if unknown.count() < missing.len() {
            missing
        } else {
            Vec::new()
        }
    }

    fn take(
        &mut self,
        key: &Ident,
        input: ParseStream<'_>,
        partnered: impl Fn(&Ident, ParseStream<'_>) -> syn::Result<Partnered<N>>,
    ) -> syn::Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(literal_name(key, input)?),
            "alias" => self.alias = literal_names(key, input)?,
            "commit" => self.commit = Some(partnered(key, input)?),
            "rollback" => self.rollback = Some(partnered(key, input)?),
            "fence" => self.fence = Some(fence(input)?),
            "always_cancel" => self.always_cancel = Some(key.clone()),
            "map_err" => self.map_err = Some(conversion(input)?),
            // The tables hold no other key.
            _ => self.krate = crate_path(input)?,
        }
        Ok(())
    }
}

/// `= EXPR`, and where the `=` stands.
fn fence(input: ParseStream<'_>) -> syn::Result<Fence> {
    let equals = input.fork().parse::<Token![=]>()?.span;
    Fence::new(expression(input)?, equals)
}

/// `= none` or `= VALUE`; a name in quotes is refused.
fn partnered<N>(
    key: &Ident,
    input: ParseStream<'_>,
    kind: &str,
    named: fn(&Ident, Expr, Span) -> syn::Result<N>,
) -> syn::Result<Partnered<N>> {
    let equals = input.fork().parse::<Token![=]>()?.span;
    let value = expression(input)?;
    if let Some(text) = as_text(&value) {
        let message = format!(
            "write the {kind} itself, not its name in quotes: {key} = {}",
            text.value()
        );
        return Err(syn::Error::new_spanned(text, message));
    }
    if is_word(&value, "none") {
        return Ok(Partnered::Nobody(value.span()));
    }
    if is_word(&value, "None") {
        let message = format!("nobody is written in small letters: {key} = none");
        return Err(syn::Error::new_spanned(value, message));
    }
    named(key, value, equals).map(Partnered::Named)
}

/// `confirm` or `Self::confirm`.
fn method(key: &Ident, value: Expr, equals: Span) -> syn::Result<Named> {
    if let Expr::Path(path) = &value
        && path.qself.is_none()
        && let Some(last) = path.path.segments.last()
        && last.arguments.is_none()
    {
        let on_self = path.path.segments.len() == 2 && path.path.segments[0].ident == "Self";
        if path.path.segments.len() == 1 || on_self {
            let ident = last.ident.clone();
            return Ok(Named { ident, equals });
        }
    }
    let meant = named_in(&value).map_or_else(|| example(key).to_owned(), Ident::to_string);
    let message = format!("`{key}` takes a method of this impl block, or `none`: {key} = {meant}");
    Err(syn::Error::new_spanned(value, message))
}

/// What is probably meant by an expression that is no method: `cancel` of `self.cancel`.
fn named_in(value: &Expr) -> Option<&Ident> {
    match value {
        Expr::Path(path) => path.path.segments.last().map(|last| &last.ident),
        Expr::Call(call) => named_in(&call.func),
        Expr::MethodCall(call) => Some(&call.method),
        Expr::Field(field) => match &field.member {
            Member::Named(name) => Some(name),
            Member::Unnamed(_) => None,
        },
        Expr::Reference(reference) => named_in(&reference.expr),
        _ => None,
    }
}

fn example(key: &Ident) -> &'static str {
    if key == "commit" { "confirm" } else { "cancel" }
}
