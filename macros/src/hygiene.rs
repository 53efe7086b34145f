//! Names and places of generated tokens: locals that cannot meet the user's, paths that no import
//! can change, and spans that are located on the user's punctuation only, never on an identifier,
//! where an IDE would find ours instead of the user's.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Path, Token};

/// A local of ours: the user's code cannot see it, whatever it is called.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Our hygiene, at the place of a token of the user's.
pub(crate) fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// Where a `->` stands: errors reported there should underline both characters.
#[derive(Clone, Copy)]
pub(crate) struct Arrow {
    first: Span,
    last: Span,
}

impl Arrow {
    pub(crate) fn of(arrow: Token![->]) -> Self {
        Self {
            first: arrow.spans[0],
            last: arrow.spans[1],
        }
    }

    /// Our hygiene, at its end.
    pub(crate) fn end(self) -> Span {
        at(self.last)
    }
}

/// The path of the runtime crate: `::unanimous`, or what `crate = ..` says.
#[derive(Clone)]
pub(crate) struct CratePath {
    tokens: TokenStream,
    /// The module in it: where a crate that is another one is reported, once, at the `=` before the
    /// path.
    module: Ident,
}

/// The module of names for generated code, and the same where the user wrote the path that leads to
/// it: what another crate lacks says what the path should lead to.
const MODULE: &str = "__private";
const MODULE_OF_WRITTEN: &str = "crate_must_name_the_crate_unanimous";

impl Default for CratePath {
    fn default() -> Self {
        Self {
            tokens: quote_spanned!(Span::mixed_site()=> ::unanimous),
            module: local(MODULE),
        }
    }
}

impl CratePath {
    pub(crate) fn new(equals: Token![=], path: &Path) -> Self {
        Self {
            tokens: path.to_token_stream(),
            module: Ident::new(MODULE_OF_WRITTEN, at(equals.span)),
        }
    }

    /// `::unanimous::__private::NAME`.
    pub(crate) fn private(&self, name: &str) -> TokenStream {
        let (tokens, module, name) = (&self.tokens, &self.module, local(name));
        quote_spanned!(Span::mixed_site()=> #tokens::#module::#name)
    }

    /// The same, so that errors about it are reported there.
    pub(crate) fn private_at(&self, name: &str, place: Span) -> TokenStream {
        self.private_between(name, place, place)
    }

    /// `::unanimous::__private::NAME GENERICS(ARGUMENTS)`, so that an error in it underlines the
    /// `->`. The parentheses move too: an error is reported from the first token of a call to its
    /// last.
    pub(crate) fn call_under(
        &self,
        name: &str,
        arrow: Arrow,
        generics: Option<TokenStream>,
        arguments: TokenStream,
    ) -> TokenStream {
        let path = self.private_between(name, arrow.first, arrow.last);
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(at(arrow.last));
        quote!(#path #generics #arguments)
    }

    /// The ends of the path stand at these places: an error about what it names is reported from
    /// the first token to the last. What leads to the crate stays, so that a crate that is not
    /// there is reported once.
    fn private_between(&self, name: &str, first: Span, last: Span) -> TokenStream {
        let (mut name, module) = (local(name), &self.module);
        name.set_span(at(last));
        let mut leading = true;
        let tokens = self.tokens.clone().into_iter().enumerate();
        let tokens = tokens.map(|(nth, mut token)| {
            leading &= nth == 0 || matches!(token, TokenTree::Punct(_));
            if leading {
                token.set_span(token.span().located_at(first));
            }
            token
        });
        quote_spanned!(at(last)=> #(#tokens)*::#module::#name)
    }
}

/// The tokens with their own hygiene, at another place.
pub(crate) fn moved(tokens: TokenStream, place: Span) -> TokenStream {
    map(tokens, &mut |mut token| {
        token.set_span(token.span().located_at(place));
        token
    })
}

/// The tokens with every `self` replaced by `name`: what is written in an attribute means the
/// receiver of the function in which it is evaluated, also where the two come from different
/// expansions.
pub(crate) fn with_self(tokens: impl ToTokens, name: &Ident) -> TokenStream {
    map(tokens.into_token_stream(), &mut |token| match token {
        TokenTree::Ident(ident) if ident == "self" => {
            let span = name.span().located_at(ident.span());
            TokenTree::Ident(Ident::new(&name.to_string(), span))
        }
        other => other,
    })
}

/// Applies `change` to every token, within groups too. Spans of groups stay.
pub(crate) fn map(
    tokens: TokenStream,
    change: &mut impl FnMut(TokenTree) -> TokenTree,
) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match change(token) {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), map(group.stream(), change));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        })
        .collect()
}

/// Braces at the place, and with the hygiene, of `span`. A function's outer braces carry the span
/// of the user's: with braces of ours rustc takes the function for foreign code, and `dead_code`
/// stays silent about it and its neighbours.
pub(crate) fn braces(content: TokenStream, span: Span) -> TokenStream {
    let mut group = Group::new(Delimiter::Brace, content);
    group.set_span(span);
    quote!(#group)
}

/// The line of a token, for people; 0 where the compiler is not there to tell it.
pub(crate) fn line(span: Span) -> u32 {
    if !proc_macro::is_available() {
        return 0;
    }
    u32::try_from(span.unwrap().line()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn self_is_replaced_at_every_depth_and_nothing_else_is() {
        let tokens: TokenStream = "pick(&self.db, Self::LIMIT, myself)".parse().unwrap();
        let shown = with_self(tokens, &local("__this")).to_string();
        assert_eq!(shown, "pick (& __this . db , Self :: LIMIT , myself)");
    }

    #[test]
    fn a_path_keeps_its_tokens_when_it_moves() {
        let path: Path = syn::parse_str("::tx").unwrap();
        let krate = CratePath::new(syn::parse_quote!(=), &path);
        assert_eq!(
            krate.private("how").to_string(),
            ":: tx :: crate_must_name_the_crate_unanimous :: how"
        );
        let arrow = Arrow::of(syn::parse_quote!(->));
        let under = krate.call_under("how", arrow, None, TokenStream::new());
        assert_eq!(under.to_string(), format!("{} ()", krate.private("how")));
    }
}
