//! What may be written in `#[participant(..)]`.

use proc_macro2::{Ident, TokenStream};
use syn::parse::ParseStream;
use syn::{Expr, Token};

use crate::diagnostics::Errors;
use crate::hygiene::CratePath;
use crate::syntax::arguments::{
    Accepted, Conversion, as_text, check_name, conversion, crate_path, expression,
    parse as parse_arguments,
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
    /// Whether it was `fence = none`, which is a mistake, but no fence.
    without_fence: bool,
    /// Where `any_instance` stands.
    pub(crate) any_instance: Option<Ident>,
    pub(crate) map_err: Option<Conversion>,
    pub(crate) krate: CratePath,
    /// Keys that were written, with or without mistakes in their values: those are not missing.
    pub(crate) written: Vec<String>,
}

/// Reads the arguments; mistakes are taken down, each at its own place.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    args.written = parse_arguments("participant", ACCEPTED, tokens, errors, |key, input| {
        take(&mut args, key, input)
    });
    if args.without_fence {
        args.written.retain(|key| key != "fence");
    }
    args
}

fn take(args: &mut Args, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    match key.to_string().as_str() {
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
            let fence = Fence::new(expression(input)?, equals)?;
            args.without_fence = fence.is_none();
            check_fence(&fence.expression)?;
            args.fence = Some(fence);
        }
        "any_instance" => args.any_instance = Some(key.clone()),
        "map_err" => args.map_err = Some(conversion(input)?),
        // The table holds no other key.
        _ => args.krate = crate_path(input)?,
    }
    Ok(())
}

/// A fence is read off `self`, unless it is an item.
fn check_fence(fence: &Expr) -> syn::Result<()> {
    let Expr::Path(path) = fence else {
        return Ok(());
    };
    let Some(name) = path.path.get_ident().map(ToString::to_string) else {
        return Ok(());
    };
    if name == "self" || name.starts_with(char::is_uppercase) {
        return Ok(());
    }
    let message = if name == "none" {
        "a participant has no fence unless it names one: leave `fence` out".to_owned()
    } else {
        format!("a fence is read off the participant: write `fence = self.{name}`")
    };
    Err(syn::Error::new_spanned(fence, message))
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
