//! What may be written in `#[two_phase_action(..)]`.

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Expr, LitStr, Token};

use super::model::Fence;
use crate::diagnostics::Errors;
use crate::syntax::arguments::{
    Accepted, as_text, expression, is_word, literal_name, literal_names, parse as parse_arguments,
};

/// Every argument. The manual has a heading for each.
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
pub(crate) enum Partnered {
    /// `commit = confirm`.
    Method(Named),
    /// `commit = none`: nobody is called. The place of the word.
    Nobody(Span),
}

impl Partnered {
    /// The method that is named, if one is.
    pub(crate) fn method(&self) -> Option<&Named> {
        match self {
            Self::Method(named) => Some(named),
            Self::Nobody(_) => None,
        }
    }
}

/// The arguments as they were written.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    /// Names under which instances of other versions know the action.
    pub(crate) alias: Vec<LitStr>,
    pub(crate) commit: Option<Partnered>,
    pub(crate) rollback: Option<Partnered>,
    pub(crate) fence: Option<Fence>,
    /// Where `always_cancel` stands.
    pub(crate) always_cancel: Option<Ident>,
    pub(crate) map_err: Option<Expr>,
    /// Keys that were written, with or without mistakes in their values: those are not missing.
    pub(crate) written: Vec<String>,
}

/// Reads the arguments; mistakes are taken down, each at its own place.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    let misspelt = parse_arguments(
        "two_phase_action",
        ACCEPTED,
        tokens,
        errors,
        |key, input| take(&mut args, key, input),
    );
    args.written.extend(misspelt);
    args
}

fn take(args: &mut Args, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let word = key.to_string();
    args.written.push(word.clone());
    match word.as_str() {
        "name" => args.name = Some(literal_name(key, input)?),
        "alias" => args.alias = literal_names(key, input)?,
        "commit" => args.commit = Some(partnered(key, input)?),
        "rollback" => args.rollback = Some(partnered(key, input)?),
        "fence" => args.fence = Some(fence(input)?),
        "always_cancel" => args.always_cancel = Some(key.clone()),
        // The table holds no other key.
        _ => args.map_err = Some(expression(input)?),
    }
    Ok(())
}

/// `= EXPR`, and where the `=` stands.
pub(super) fn fence(input: ParseStream<'_>) -> syn::Result<Fence> {
    let equals = input.fork().parse::<Token![=]>()?.span;
    let expression = expression(input)?;
    Ok(Fence { expression, equals })
}

/// What stands behind `commit` and `rollback`.
pub(super) enum Written {
    /// `= none`. The place of the word.
    None(Span),
    /// Anything else, and where the `=` before it stands.
    Value(Expr, Span),
}

/// `= none` or `= VALUE`; a name in quotes is refused. `kind` is what a value names: a method, a
/// function.
pub(super) fn written(key: &Ident, input: ParseStream<'_>, kind: &str) -> syn::Result<Written> {
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
        return Ok(Written::None(value.span()));
    }
    Ok(Written::Value(value, equals))
}

/// `= confirm`, `= Self::confirm` or `= none`.
fn partnered(key: &Ident, input: ParseStream<'_>) -> syn::Result<Partnered> {
    let (value, equals) = match written(key, input, "method")? {
        Written::None(word) => return Ok(Partnered::Nobody(word)),
        Written::Value(value, equals) => (value, equals),
    };
    if let Expr::Path(path) = &value
        && path.qself.is_none()
        && let Some(last) = path.path.segments.last()
        && last.arguments.is_none()
    {
        let on_self = path.path.segments.len() == 2 && path.path.segments[0].ident == "Self";
        if path.path.segments.len() == 1 || on_self {
            return Ok(Partnered::Method(Named {
                ident: last.ident.clone(),
                equals,
            }));
        }
    }
    let message = format!("`{key}` takes a method of this impl block, or `none`: {key} = confirm");
    Err(syn::Error::new_spanned(value, message))
}
