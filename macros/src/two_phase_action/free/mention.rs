//! Which names an expression mentions, without knowing what they mean.

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

use crate::syntax::types::macro_called;

/// Macros whose arguments are expressions, but for one text that may capture names.
const FORMATTING: [&str; 9] = [
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "panic",
    "print",
    "println",
    "write",
    "writeln",
];

/// Where tokens stand.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Code,
    /// The arguments of a formatting macro.
    Format,
    /// Handed to a macro that may make anything of them.
    Macro,
}

impl Place {
    /// That of what a group holds, which stands here after these tokens.
    fn within(self, group: &Group, before: &[TokenTree]) -> Self {
        match macro_called(before, group) {
            Some(name) if is_formatting(name) => Self::Format,
            Some(_) => Self::Macro,
            None if self == Self::Macro || group.delimiter() == Delimiter::None => self,
            None => Self::Code,
        }
    }
}

/// Whether the macro of this name formats a text from expressions.
pub(crate) fn is_formatting(name: &Ident) -> bool {
    FORMATTING.iter().any(|known| name == known)
}

/// The first mention of this name, which is no raw one, as a value, with its own place and hygiene: not after a `.` or a
/// `::` nor before a `:`, where it is a field, a method, a module or an item, but also inside the text of a format string.
pub(crate) fn of(tokens: impl ToTokens, name: &str) -> Option<Ident> {
    find(tokens.into_token_stream(), name, Place::Code)
}

fn find(tokens: TokenStream, name: &str, place: Place) -> Option<Ident> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut may_capture = match place {
        Place::Code => false,
        Place::Format => !is_argument(&tokens, name),
        Place::Macro => true,
    };
    for (at, token) in tokens.iter().enumerate() {
        let (before, after) = (&tokens[..at], &tokens[at + 1..]);
        let found = match token {
            TokenTree::Ident(ident) => {
                (ident.unraw() == name && is_value(before, after, place)).then(|| ident.clone())
            }
            TokenTree::Literal(literal) if may_capture && is_text(literal) => {
                may_capture = place == Place::Macro;
                captures(literal, name).then(|| Ident::new(name, literal.span()))
            }
            TokenTree::Group(group) => find(group.stream(), name, place.within(group, before)),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether a formatting macro is passed an argument of this name, as in `format!("{user}", user = 1)`.
fn is_argument(tokens: &[TokenTree], name: &str) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        matches!(token, TokenTree::Ident(ident) if ident.unraw() == name)
            && matches!(two(tokens[at + 1..].iter()), ('=', second) if second != '=')
    })
}

/// Whether a name between these tokens is that of a value.
fn is_value(before: &[TokenTree], after: &[TokenTree], place: Place) -> bool {
    let is_qualified = match two(before.iter().rev()) {
        ('.', '.') => false,
        ('.' | '\'', _) | (':', ':') => true,
        _ => false,
    };
    let is_of_another_kind = match two(after.iter()) {
        (':', ':') => true,
        (':', _) => place != Place::Macro,
        ('!', second) => place != Place::Macro && second != '=',
        ('=', second) => place == Place::Format && second != '=',
        _ => false,
    };
    !is_qualified && !is_of_another_kind
}

/// The two nearest tokens, where they are punctuation.
fn two<'a>(mut tokens: impl Iterator<Item = &'a TokenTree>) -> (char, char) {
    let mut next = || match tokens.next() {
        Some(TokenTree::Punct(punct)) => punct.as_char(),
        _ => ' ',
    };
    (next(), next())
}

fn is_text(literal: &Literal) -> bool {
    literal.to_string().starts_with(['"', 'r'])
}

/// Whether a text holds `{name}` or `{name:`, as format strings do; `{{` is a brace.
fn captures(literal: &Literal, name: &str) -> bool {
    let text = literal.to_string().replace("{{", "");
    ["}", ":"]
        .iter()
        .any(|end| text.contains(&format!("{{{name}{end}")))
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
            ("write!(to, \"{{{user}}}\")", true),
            ("format!(\"{user}\", 1, user == 2)", true),
            ("format!(\"{}\", user = user.trim())", true),
            ("unknown!(f(\"{user}\"))", true),
            ("unknown!(user: u8)", true),
            ("Key { user }", true),
            ("Key { id: user }", true),
            ("user != 1", true),
            ("user..", true),
            ("order.user", false),
            ("order.user()", false),
            ("names::user", false),
            ("users", false),
            ("user::name(1)", false),
            ("Key { user: 1 }", false),
            ("format!(\"{}\", Key { user: 1 })", false),
            ("user!(1)", false),
            ("'user: loop { break 'user; }", false),
            ("f(\"{user}\")", false),
            ("format!(\"{{user}}\")", false),
            ("format!(\"{}\", \"{user}\")", false),
            ("format!(\"{}\", f(\"{user}\"))", false),
            ("format!(\"{user}\", user=-1)", false),
            ("\"user\"", false),
            ("'u'", false),
        ] {
            let tokens: TokenStream = expression.parse().unwrap();
            assert_eq!(of(tokens, "user").is_some(), mentioned, "{expression}");
        }
    }
}
