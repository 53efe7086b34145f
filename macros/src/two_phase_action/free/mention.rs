//! Which names an expression mentions, without knowing what they mean.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

/// The first mention of this name, which is no raw one, as a value, with its own place and hygiene: not after a `.` or a
/// `::`, where it is a field, a method or an item, but also inside the text of a format string.
pub(crate) fn of(tokens: impl ToTokens, name: &str) -> Option<Ident> {
    find(tokens.into_token_stream(), name)
}

fn find(tokens: TokenStream, name: &str) -> Option<Ident> {
    // The two characters before the token.
    let mut before = (' ', ' ');
    for token in tokens {
        let found = match &token {
            TokenTree::Ident(ident) if ident.unraw() == name && !is_qualified(before) => {
                Some(ident.clone())
            }
            TokenTree::Literal(literal) if captures(&literal.to_string(), name) => {
                Some(Ident::new(name, literal.span()))
            }
            TokenTree::Group(group) => find(group.stream(), name),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        before = match token {
            TokenTree::Punct(punct) => (before.1, punct.as_char()),
            _ => (' ', ' '),
        };
    }
    None
}

/// After `.` or `::`, but not after `..`.
fn is_qualified(before: (char, char)) -> bool {
    match before {
        ('.', '.') => false,
        (_, '.') | (':', ':') => true,
        _ => false,
    }
}

/// Whether a text holds `{name}` or `{name:`, as format strings do.
fn captures(literal: &str, name: &str) -> bool {
    literal.starts_with(['"', 'r'])
        && ["}", ":"]
            .iter()
            .any(|end| literal.contains(&format!("{{{name}{end}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_identifier_is_the_name_that_it_spells() {
        let tokens: TokenStream = "f(r#user, 1)".parse().unwrap();
        assert_eq!(of(tokens, "user").unwrap().to_string(), "r#user");
    }

    #[test]
    fn only_values_are_mentions() {
        for (expression, mentioned) in [
            ("user", true),
            ("&user", true),
            ("user.trim()", true),
            ("f(1, (user))", true),
            ("0..user", true),
            ("format!(\"{user:?}\")", true),
            ("format!(\"{user}\")", true),
            ("order.user", false),
            ("order.user()", false),
            ("names::user", false),
            ("users", false),
            ("\"user\"", false),
            ("'u'", false),
        ] {
            let tokens: TokenStream = expression.parse().unwrap();
            assert_eq!(of(tokens, "user").is_some(), mentioned, "{expression}");
        }
    }
}
