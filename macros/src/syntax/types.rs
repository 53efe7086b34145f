//! Questions about a type as it is written; what it means only rustc knows.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericArgument, Lifetime, PathArguments, Type};

/// The type inside parentheses and the invisible groups that `macro_rules` fragments arrive in.
pub(crate) fn peeled(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peeled(&group.elem),
        Type::Paren(paren) => peeled(&paren.elem),
        other => other,
    }
}

/// Whether any token satisfies the condition, at whatever depth.
pub(crate) fn any_token(tokens: impl ToTokens, test: &mut impl FnMut(&TokenTree) -> bool) -> bool {
    tokens.into_token_stream().into_iter().any(|token| {
        test(&token)
            || match token {
                TokenTree::Group(group) => any_token(group.stream(), test),
                _ => false,
            }
    })
}

/// The name of the macro that is called with what this group holds, after these tokens.
pub(crate) fn macro_called<'a>(before: &'a [TokenTree], group: &Group) -> Option<&'a Ident> {
    match before {
        [.., TokenTree::Ident(name), TokenTree::Punct(bang)]
            if bang.as_char() == '!' && group.delimiter() != Delimiter::None =>
        {
            Some(name)
        }
        _ => None,
    }
}

/// Whether the type names one of these identifiers.
pub(crate) fn mentions(ty: &Type, names: &[&Ident]) -> bool {
    any_token(ty, &mut |token| match token {
        TokenTree::Ident(ident) => names.contains(&ident),
        _ => false,
    })
}

/// Whether `impl Trait` stands anywhere in the type.
pub(crate) fn has_impl_trait(ty: &Type) -> bool {
    any_token(
        ty,
        &mut |token| matches!(token, TokenTree::Ident(ident) if ident == "impl"),
    )
}

/// Whether the type holds a reference or a lifetime other than `'static`.
pub(crate) fn borrows(ty: &Type) -> bool {
    let mut after_tick = false;
    any_token(ty, &mut |token| {
        let found = match token {
            TokenTree::Punct(punct) if punct.as_char() == '&' => true,
            TokenTree::Ident(ident) if after_tick => ident != "static",
            _ => false,
        };
        after_tick = matches!(token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        found
    })
}

/// The last segment's only type argument, if that segment has this name: `T` of `Option<T>`.
pub(crate) fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = peeled(ty) else {
        return None;
    };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.next().filter(|_| types.next().is_none())
}

/// Whether two types are written alike, but for their lifetimes.
pub(crate) fn same_type(left: &Type, right: &Type) -> bool {
    without_lifetimes(left.to_token_stream()) == without_lifetimes(right.to_token_stream())
}

fn without_lifetimes(tokens: TokenStream) -> String {
    let (mut text, mut after_tick) = (String::new(), false);
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                after_tick = true;
                continue;
            }
            TokenTree::Ident(_) if after_tick => {}
            TokenTree::Group(group) => {
                text.push_str(&without_lifetimes(group.stream()));
                text.push('|');
            }
            other => {
                text.push_str(&other.to_string());
                text.push(' ');
            }
        }
        after_tick = false;
    }
    text
}

/// `T` of `&T`.
pub(crate) fn lent(ty: &Type) -> Option<&Type> {
    match peeled(ty) {
        Type::Reference(reference) if reference.mutability.is_none() => Some(&reference.elem),
        _ => None,
    }
}

/// `&mut T` of `&'a mut T`: however long a reference that is supplied to the body lives, it is not
/// as long as a lifetime that the caller chooses.
pub(crate) fn with_open_lifetime(mut ty: Type) -> Type {
    match &mut ty {
        Type::Group(group) => *group.elem = with_open_lifetime((*group.elem).clone()),
        Type::Paren(paren) => *paren.elem = with_open_lifetime((*paren.elem).clone()),
        Type::Reference(reference) => reference.lifetime = None,
        _ => {}
    }
    ty
}

/// Whether the type is a path that ends in this name.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    matches!(peeled(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// Whether the type is known to be unsized, so that its owned form is another type.
pub(crate) fn is_unsized(ty: &Type) -> bool {
    matches!(peeled(ty), Type::Slice(_))
        || ["str", "Path", "OsStr", "CStr"]
            .iter()
            .any(|name| is_named(ty, name))
}

/// Whether the type is a primitive one, or a `String`.
pub(crate) fn is_primitive(ty: &Type) -> bool {
    const PRIMITIVES: [&str; 18] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "String",
        "u8", "u16", "u32", "u64", "u128", "usize",
    ];
    let mut primitives = PRIMITIVES.iter();
    matches!(peeled(ty), Type::Path(path) if primitives.any(|name| path.path.is_ident(name)))
}

/// Whether the type may be another name for an unsized one.
pub(crate) fn may_be_unsized(ty: &Type) -> bool {
    let Type::Path(path) = peeled(ty) else {
        return false;
    };
    let plain = path
        .path
        .segments
        .last()
        .is_some_and(|last| last.arguments.is_none());
    plain && !is_primitive(ty)
}

/// The type with every lifetime made `'static`.
pub(crate) fn with_static_lifetimes(ty: &Type) -> TokenStream {
    statics(ty.to_token_stream())
}

fn statics(tokens: TokenStream) -> TokenStream {
    let mut after_tick = false;
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                after_tick = true;
                TokenTree::Punct(punct)
            }
            TokenTree::Ident(ident) if after_tick => {
                after_tick = false;
                TokenTree::Ident(Ident::new("static", ident.span()))
            }
            TokenTree::Group(group) => {
                after_tick = false;
                let mut inner = Group::new(group.delimiter(), statics(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => {
                after_tick = false;
                other
            }
        })
        .collect()
}

/// `Cow<'static, T>` of a `Cow` with any lifetime or none written.
pub(crate) fn static_cow(ty: &Type) -> TokenStream {
    let tokens = with_static_lifetimes(ty);
    if any_token(
        &tokens,
        &mut |token| matches!(token, TokenTree::Ident(i) if i == "static"),
    ) {
        return tokens;
    }
    let Some(inner) = argument_of(ty, "Cow") else {
        return tokens;
    };
    let lifetime = Lifetime::new("'static", Span::mixed_site());
    quote!(::std::borrow::Cow<#lifetime, #inner>)
}

/// What the user wrote, as they would write it: without the spaces that tokens print with.
pub(crate) fn shown(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    print(tokens.into_token_stream(), &mut text);
    text
}

fn print(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                print(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => {
                text.push(punct.as_char());
                if matches!(punct.as_char(), ',' | ';') {
                    text.push(' ');
                }
            }
            other => {
                if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    text.push(' ');
                }
                text.push_str(&other.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn borrowing_is_seen_at_any_depth() {
        for text in [
            "&str",
            "Vec<&str>",
            "(&str, u8)",
            "fn(&u8)",
            "Row<'a>",
            "Box<dyn Any + '_>",
        ] {
            assert!(borrows(&ty(text)), "{text}");
        }
        for text in ["String", "Vec<u8>", "Cow<'static, str>", "[u8; 4]"] {
            assert!(!borrows(&ty(text)), "{text}");
        }
    }

    #[test]
    fn lifetimes_of_a_cow_become_static() {
        for text in ["Cow<'_, str>", "Cow<'a, str>", "Cow<'static, str>"] {
            assert_eq!(
                static_cow(&ty(text)).to_string(),
                "Cow < 'static , str >",
                "{text}"
            );
        }
        assert_eq!(
            static_cow(&ty("Cow<str>")).to_string(),
            ":: std :: borrow :: Cow < 'static , str >"
        );
    }

    #[test]
    fn lifetimes_make_no_other_type() {
        assert!(same_type(&ty("&'a str"), &ty("&str")));
        assert!(same_type(&ty("(&'a u8, u8)"), &ty("(&u8, u8)")));
        assert!(!same_type(&ty("&str"), &ty("String")));
        assert!(!same_type(&ty("[u8; 4]"), &ty("[u8; 5]")));
    }

    #[test]
    fn types_are_shown_as_people_write_them() {
        assert_eq!(
            shown(ty("&'a mut [(u8, Vec<String>)]")),
            "&'a mut[(u8, Vec<String>)]"
        );
        assert_eq!(shown(ty("&mut FenceTx<Sqlite>")), "&mut FenceTx<Sqlite>");
    }
}
