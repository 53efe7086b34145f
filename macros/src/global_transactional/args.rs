//! What may be written in `#[global_transactional(..)]`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Expr, LitStr, Pat, Token};

use crate::diagnostics::Errors;
use crate::hygiene::CratePath;
use crate::syntax::arguments::{
    Accepted, Conversion, conversion, crate_path, expression, list, literal_name,
    parse as parse_arguments, word,
};
use crate::syntax::duration::{Time, time};

/// Every argument. The manual has a heading for each.
pub(crate) const ACCEPTED: &[Accepted] = &[
    Accepted {
        name: "name",
        example: "name = \"purchase\"",
    },
    Accepted {
        name: "timeout",
        example: "timeout = \"30s\"",
    },
    Accepted {
        name: "settle",
        example: "settle = \"1s\"",
    },
    Accepted {
        name: "propagation",
        example: "propagation = requires_new",
    },
    Accepted {
        name: "commit_on",
        example: "commit_on(ShopError::SoldOut)",
    },
    Accepted {
        name: "map_err",
        example: "map_err = ShopError::transaction",
    },
    Accepted {
        name: "runtime",
        example: "runtime = self.runtime",
    },
    Accepted {
        name: "crate",
        example: "crate = ::renamed",
    },
];

/// Every kind of propagation.
pub(crate) const PROPAGATION: &[(&str, Propagation)] = &[
    ("required", Propagation::Required),
    ("requires_new", Propagation::RequiresNew),
    ("supports", Propagation::Supports),
    ("not_supported", Propagation::NotSupported),
    ("mandatory", Propagation::Mandatory),
    ("never", Propagation::Never),
];

/// What to do about a surrounding transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Propagation {
    Required,
    RequiresNew,
    Supports,
    NotSupported,
    Mandatory,
    Never,
}

/// A key that was given, with what it was given.
pub(crate) struct Keyed<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

/// The pattern of errors that commit all the same.
#[derive(Clone)]
pub(crate) struct CommitOn {
    pub(crate) pattern: TokenStream,
    pub(crate) guard: Option<Expr>,
}

/// The arguments as they were written.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) timeout: Option<Keyed<Time>>,
    pub(crate) settle: Option<Keyed<Time>>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) commit_on: Option<Keyed<CommitOn>>,
    pub(crate) map_err: Option<Conversion>,
    pub(crate) runtime: Option<Keyed<Expr>>,
    pub(crate) krate: CratePath,
}

/// Reads the arguments; mistakes are taken down, each at its own place.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    let _ = parse_arguments(
        "global_transactional",
        ACCEPTED,
        tokens,
        errors,
        |key, input| take(&mut args, key, input),
    );
    args
}

fn take(args: &mut Args, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let keyed_time = |input| {
        Ok::<_, syn::Error>(Keyed {
            key: key.clone(),
            value: time(key, input)?,
        })
    };
    match key.to_string().as_str() {
        "name" => args.name = Some(literal_name(key, input)?),
        "timeout" => args.timeout = Some(keyed_time(input)?),
        "settle" => args.settle = Some(keyed_time(input)?),
        "propagation" => args.propagation = Some(word(key, PROPAGATION, input)?),
        "commit_on" => {
            args.commit_on = Some(Keyed {
                key: key.clone(),
                value: list(input, TOO_MUCH, commit_on)?,
            });
        }
        "map_err" => args.map_err = Some(conversion(input)?),
        "runtime" => {
            args.runtime = Some(Keyed {
                key: key.clone(),
                value: expression(input)?,
            });
        }
        // The table holds no other key.
        _ => args.krate = crate_path(input)?,
    }
    Ok(())
}

const TOO_MUCH: &str = "`commit_on` takes one pattern, and a guard if there is one; errors are separated by \
                        `|`: commit_on(ShopError::SoldOut | ShopError::Late)";

/// What reads as a pattern, and was meant as something else.
fn check_pattern(pattern: &Pat) -> syn::Result<()> {
    let message = match pattern {
        Pat::Or(or) if or.leading_vert.is_some() && or.cases.first().is_some_and(is_binding) => {
            "`commit_on` takes a pattern, not a closure: commit_on(ShopError::SoldOut), or \
             commit_on(error if error.is_final())"
        }
        Pat::TupleStruct(pattern)
            if ["Ok", "Err"].iter().any(|word| pattern.path.is_ident(word)) =>
        {
            "write the pattern of the error alone: commit_on(ShopError::SoldOut)"
        }
        _ => return Ok(()),
    };
    Err(syn::Error::new_spanned(pattern, message))
}

/// Whether the pattern is one new name.
fn is_binding(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Ident(name) if name.subpat.is_none()
        && name.ident.to_string().starts_with(char::is_lowercase))
}

/// `PATTERN [if GUARD]`.
fn commit_on(input: ParseStream<'_>) -> syn::Result<CommitOn> {
    if input.is_empty() {
        let message = "name the errors that commit: commit_on(ShopError::SoldOut)";
        return Err(syn::Error::new(input.span(), message));
    }
    let pattern = Pat::parse_multi_with_leading_vert(input)?;
    check_pattern(&pattern)?;
    let pattern = pattern.into_token_stream();
    let guard = match input.parse::<Option<Token![if]>>()? {
        Some(_) => Some(input.parse()?),
        None => None,
    };
    Ok(CommitOn { pattern, guard })
}
