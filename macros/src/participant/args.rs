//! What may be written in `#[participant(..)]`.

use proc_macro2::{Ident, TokenStream};
use syn::parse::ParseStream;
use syn::{Expr, Token};

use crate::diagnostics::Errors;
use crate::hygiene::CratePath;
use crate::syntax::arguments::{
    Accepted, as_text, check_name, crate_path, expression, parse as parse_arguments,
};
use crate::two_phase_action::model::Fence;

/// Every argument. The manual has a heading for each.
pub(crate) const ACCEPTED: &[Accepted] = &[
    Accepted {
        name: "name",
        example: "name = \"account\"",
    },
    Accepted {
        name: "fence",
        example: "fence = self.db",
    },
    Accepted {
        name: "any_instance",
        example: "any_instance",
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

/// The arguments as they were written.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<Expr>,
    pub(crate) fence: Option<Fence>,
    /// Where `any_instance` stands.
    pub(crate) any_instance: Option<Ident>,
    pub(crate) map_err: Option<Expr>,
    pub(crate) krate: CratePath,
    /// Keys that were written, with or without mistakes in their values: those are not missing.
    pub(crate) written: Vec<String>,
}

/// Reads the arguments; mistakes are taken down, each at its own place.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    let misspelt = parse_arguments("participant", ACCEPTED, tokens, errors, |key, input| {
        take(&mut args, key, input)
    });
    args.written.extend(misspelt);
    args
}

fn take(args: &mut Args, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let word = key.to_string();
    args.written.push(word.clone());
    match word.as_str() {
        "name" => {
            let name = expression(input)?;
            match as_text(&name) {
                Some(text) => check_name(text)?,
                None => check_expression(&name)?,
            }
            args.name = Some(name);
        }
        "fence" => {
            let equals = input.fork().parse::<Token![=]>()?.span;
            let expression = expression(input)?;
            args.fence = Some(Fence { expression, equals });
        }
        "any_instance" => args.any_instance = Some(key.clone()),
        "map_err" => args.map_err = Some(expression(input)?),
        // The table holds no other key.
        _ => args.krate = crate_path(input)?,
    }
    Ok(())
}

/// A literal that is no text needs no compiler to be told from a name.
fn check_expression(name: &Expr) -> syn::Result<()> {
    if !matches!(name, Expr::Lit(_)) {
        return Ok(());
    }
    let message = "`name` takes text: a string literal, name = \"account\", or an expression that \
                   may read `self`, name = format!(\"account-{}\", self.shard)";
    Err(syn::Error::new_spanned(name, message))
}
