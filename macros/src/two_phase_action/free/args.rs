//! What may be written in `#[two_phase_action(..)]` on a free function.

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprPath, LitStr, Token};

use crate::diagnostics::Errors;
use crate::hygiene::CratePath;
use crate::syntax::arguments::{
    Accepted, crate_path, expression, literal_name, literal_names, parse as parse_arguments,
    ungrouped,
};
use crate::two_phase_action::args::{Written, fence, written};
use crate::two_phase_action::model::Fence;

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
        example: "name = \"account.debit\"",
    },
    Accepted {
        name: "alias",
        example: "alias = [\"old_name\"]",
    },
    Accepted {
        name: "fence",
        example: "fence = db",
    },
    Accepted {
        name: "always_cancel",
        example: "always_cancel",
    },
    Accepted {
        name: "map_err",
        example: "map_err = AccountError::transaction",
    },
    Accepted {
        name: "crate",
        example: "crate = ::renamed",
    },
];

/// What ends a branch in phase two.
pub(crate) enum Partner {
    /// `none`: the decision ends it by itself. The place of the word.
    None(Span),
    /// A function.
    Function(Named),
}

/// A function named for phase two.
pub(crate) struct Named {
    pub(crate) path: ExprPath,
    /// `(tx, user, tried)`: what to pass; else every parameter is, in order.
    pub(crate) list: Option<Punctuated<Expr, Token![,]>>,
    /// Where the `=` before it stands: errors about the call to it are reported there.
    pub(crate) equals: Span,
}

/// The arguments as they were written.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) commit: Option<Partner>,
    pub(crate) rollback: Option<Partner>,
    /// Names under which other versions provide it.
    pub(crate) alias: Vec<LitStr>,
    pub(crate) fence: Option<Fence>,
    /// Where `always_cancel` stands.
    pub(crate) always_cancel: Option<Ident>,
    pub(crate) map_err: Option<Expr>,
    pub(crate) krate: CratePath,
    /// Keys that were written, with or without mistakes in their values: those are not missing.
    pub(crate) written: Vec<String>,
}

impl Args {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.written.iter().any(|written| written == key)
    }
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
        "commit" => args.commit = Some(partner(key, input)?),
        "rollback" => args.rollback = Some(partner(key, input)?),
        "fence" => args.fence = Some(fence(input)?),
        "always_cancel" => args.always_cancel = Some(key.clone()),
        "map_err" => args.map_err = Some(expression(input)?),
        // The table holds no other key.
        _ => args.krate = crate_path(input)?,
    }
    Ok(())
}

/// `= confirm`, `= confirm(tx, user)` or `= none`.
fn partner(key: &Ident, input: ParseStream<'_>) -> syn::Result<Partner> {
    let (value, equals) = match written(key, input, "function")? {
        Written::None(word) => return Ok(Partner::None(word)),
        Written::Value(value, equals) => (value, equals),
    };
    let (path, list) = match value {
        Expr::Path(path) => (path, None),
        Expr::Call(call) => match ungrouped(*call.func.clone()) {
            Expr::Path(path) => (path, Some(call.args)),
            _ => return Err(no_function(key, &Expr::Call(call))),
        },
        other => return Err(no_function(key, &other)),
    };
    Ok(Partner::Function(Named { path, list, equals }))
}

fn no_function(key: &Ident, value: &Expr) -> syn::Error {
    let message = format!(
        "`{key}` takes a function, `{key} = confirm`, or one with what to pass, `{key} = \
         confirm(tx, user, tried)`"
    );
    syn::Error::new_spanned(value, message)
}
