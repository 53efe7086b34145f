//! What may be written in `#[two_phase_action(..)]`.

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::ParseStream;
use syn::{Expr, LitStr, Token};

use crate::diagnostics::Errors;
use crate::syntax::arguments::{
    Accepted, as_text, expression, literal_name, parse as parse_arguments,
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

/// The arguments as they were written.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) commit: Option<Named>,
    pub(crate) rollback: Option<Named>,
    pub(crate) map_err: Option<Expr>,
    /// Keys that were written, with or without mistakes in their values: those are not missing.
    pub(crate) written: Vec<String>,
}

/// Reads the arguments; mistakes are taken down, each at its own place.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    parse_arguments(
        "two_phase_action",
        ACCEPTED,
        tokens,
        errors,
        |key, input| take(&mut args, key, input),
    );
    args
}

fn take(args: &mut Args, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let word = key.to_string();
    args.written.push(word.clone());
    match word.as_str() {
        "name" => args.name = Some(literal_name(key, input)?),
        "commit" => args.commit = Some(named(key, input)?),
        "rollback" => args.rollback = Some(named(key, input)?),
        // The table holds no other key.
        _ => args.map_err = Some(expression(input)?),
    }
    Ok(())
}

/// `= confirm` or `= Self::confirm`.
fn named(key: &Ident, input: ParseStream<'_>) -> syn::Result<Named> {
    let equals = input.fork().parse::<Token![=]>()?.span;
    let value = expression(input)?;
    if let Some(text) = as_text(&value) {
        let message = format!(
            "write the method itself, not its name in quotes: {key} = {}",
            text.value()
        );
        return Err(syn::Error::new_spanned(text, message));
    }
    if let Expr::Path(path) = &value
        && path.qself.is_none()
        && let Some(last) = path.path.segments.last()
        && last.arguments.is_none()
    {
        let on_self = path.path.segments.len() == 2 && path.path.segments[0].ident == "Self";
        if path.path.segments.len() == 1 || on_self {
            return Ok(Named {
                ident: last.ident.clone(),
                equals,
            });
        }
    }
    let message = format!("`{key}` takes a method of this impl block: {key} = confirm");
    Err(syn::Error::new_spanned(value, message))
}
