//! What may be written in `#[two_phase_action(..)]` on a free function.

use proc_macro2::{Ident, Span, TokenStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprPath, Token};

use crate::diagnostics::Errors;
use crate::syntax::arguments::{Accepted, ungrouped};
use crate::two_phase_action::args;

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

/// A function named for phase two.
pub(crate) struct Named {
    pub(crate) path: ExprPath,
    /// `(tx, user, tried)`: what to pass; else every parameter is, in order.
    pub(crate) list: Option<Punctuated<Expr, Token![,]>>,
    /// Where that list stands, or the `=`.
    pub(crate) parens: Span,
    /// Where the `=` before it stands: errors about the call to it are reported there.
    pub(crate) equals: Span,
}

/// The arguments as they were written.
pub(crate) type Args = args::Args<Named>;

/// Reads the arguments; mistakes are taken down, each at its own place.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    args::parse_with(ACCEPTED, tokens, errors, "function", function)
}

/// `confirm` or `confirm(tx, user)`.
fn function(key: &Ident, value: Expr, equals: Span) -> syn::Result<Named> {
    let (path, list, parens) = match value {
        Expr::Path(path) => (path, None, equals),
        Expr::Call(call) => match ungrouped(*call.func.clone()) {
            Expr::Path(path) => (path, Some(call.args), call.paren_token.span.join()),
            _ => return Err(no_function(key, &Expr::Call(call))),
        },
        other => return Err(no_function(key, &other)),
    };
    Ok(Named {
        path,
        list,
        parens,
        equals,
    })
}

fn no_function(key: &Ident, value: &Expr) -> syn::Error {
    let message = format!(
        "`{key}` takes a function, `{key} = confirm`, or one with what to pass, `{key} = \
         confirm(tx, user, tried)`"
    );
    syn::Error::new_spanned(value, message)
}
