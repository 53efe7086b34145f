//! Types of the trait, such as `Self::Id`: outside of its own impl block they are ambiguous, so what
//! leaves that block names them in full.

use std::collections::BTreeSet;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ImplItem;

use crate::hygiene::{at, moved};
use crate::syntax::impl_block::{ImplBlock, Item};

/// The types that an impl block gives to its trait.
pub(crate) struct Associated {
    names: BTreeSet<String>,
    /// The path of the trait.
    of: TokenStream,
}

impl Associated {
    /// Those of this block; none where it is no trait's.
    pub(crate) fn of(block: &ImplBlock) -> Self {
        let path = block.header.trait_.as_ref().map(|(path, _)| path);
        let types = block.items.iter().filter_map(|item| match item {
            Item::Other(tokens) if path.is_some() => name_of_type(tokens),
            _ => None,
        });
        Self {
            names: types.collect(),
            of: path.to_token_stream(),
        }
    }

    /// The tokens with `<Self as Trait>::Id` for `Self::Id`.
    pub(crate) fn in_full(&self, tokens: TokenStream) -> TokenStream {
        if self.names.is_empty() {
            return tokens;
        }
        let all: Vec<TokenTree> = tokens.into_iter().collect();
        let mut full = TokenStream::new();
        for (nth, token) in all.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.in_full(group.stream()));
                    inner.set_span(group.span());
                    full.extend([TokenTree::Group(inner)]);
                }
                _ => match self.colon(&all[nth..]) {
                    Some(colon) => full.extend(self.qualified(token, colon)),
                    None => full.extend([token.clone()]),
                },
            }
        }
        full
    }

    /// Where the colons stand, if the tokens begin with `Self::Id`.
    fn colon(&self, tokens: &[TokenTree]) -> Option<Span> {
        match tokens {
            [
                TokenTree::Ident(this),
                TokenTree::Punct(colon),
                TokenTree::Punct(second),
                TokenTree::Ident(name),
                ..,
            ] if this == "Self"
                && (colon.as_char(), second.as_char()) == (':', ':')
                && self.names.contains(&name.to_string()) =>
            {
                Some(colon.span())
            }
            _ => None,
        }
    }

    fn qualified(&self, this: &TokenTree, colon: Span) -> TokenStream {
        let path = moved(self.of.clone(), colon);
        quote_spanned!(at(colon)=> <#this as #path>)
    }
}

/// `Id` of `type Id = u64;`.
fn name_of_type(tokens: &TokenStream) -> Option<String> {
    match syn::parse2(quote!(#tokens)) {
        Ok(ImplItem::Type(item)) => Some(item.ident.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_full(block: &str, text: &str) -> String {
        let block = ImplBlock::read(block.parse().unwrap()).unwrap();
        let tokens = text.parse().unwrap();
        Associated::of(&block).in_full(tokens).to_string()
    }

    #[test]
    fn types_of_the_trait_are_named_in_full_and_nothing_else_is() {
        let block = "impl shop::Service<u8> for A { type Id = u64; const LIMIT: u8 = 1; }";
        assert_eq!(
            in_full(
                block,
                "fn f(id: &[Self::Id]) { (Self::Id::MAX, Self::LIMIT) }"
            ),
            "fn f (id : & [< Self as shop :: Service < u8 > > :: Id]) \
             { (< Self as shop :: Service < u8 > > :: Id :: MAX , Self :: LIMIT) }"
        );
        let text = "other :: Id , self . Id , Self : Id , Self :: Other";
        assert_eq!(in_full(block, text), text);
    }

    #[test]
    fn a_block_of_no_trait_has_none() {
        let text = "Self :: Id";
        assert_eq!(in_full("impl A { type Id = u64; }", text), text);
    }
}
