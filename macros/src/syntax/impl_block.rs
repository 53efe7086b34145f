//! An impl block whose methods keep their bodies as raw tokens: one body that cannot be parsed must
//! not take the expansion of the whole block with it.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, ImplItem, ItemImpl, token};

use super::annotated_fn::AnnotatedFn;

/// An impl block.
pub(crate) struct ImplBlock {
    /// Everything but the items.
    pub(crate) header: ItemImpl,
    pub(crate) items: Vec<Item>,
}

/// What stands in an impl block.
pub(crate) enum Item {
    /// A method or an associated function.
    Method(Box<AnnotatedFn>),
    /// A type, a constant, a macro call, an inner attribute.
    Other(TokenStream),
}

impl ImplBlock {
    /// Reads an impl block.
    pub(crate) fn read(tokens: TokenStream) -> syn::Result<Self> {
        let mut header: Vec<TokenTree> = tokens.into_iter().collect();
        let body = match header.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
            other => {
                let tokens = header.into_iter().chain(other).collect::<TokenStream>();
                return Err(syn::Error::new_spanned(tokens, "expected an impl block"));
            }
        };
        let header: TokenStream = header.into_iter().collect();
        let mut header: ItemImpl = syn::parse2(quote!(#header {}))?;
        header.brace_token = token::Brace {
            span: body.delim_span(),
        };
        Ok(Self {
            header,
            items: items.parse2(body.stream())?,
        })
    }

    /// The block with this content.
    pub(crate) fn with_items(&self, items: TokenStream) -> TokenStream {
        let mut block = self.header.clone();
        block.items = vec![ImplItem::Verbatim(items)];
        quote!(#block)
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = &AnnotatedFn> {
        self.items.iter().filter_map(|item| match item {
            Item::Method(method) => Some(method.as_ref()),
            Item::Other(_) => None,
        })
    }
}

fn items(input: ParseStream<'_>) -> syn::Result<Vec<Item>> {
    let mut items = Vec::new();
    let inner = input.call(Attribute::parse_inner)?;
    if !inner.is_empty() {
        items.push(Item::Other(quote!(#(#inner)*)));
    }
    while !input.is_empty() {
        items.push(input.parse()?);
    }
    Ok(items)
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        if let Ok(method) = ahead.parse() {
            input.advance_to(&ahead);
            return Ok(Self::Method(Box::new(method)));
        }
        let item: ImplItem = input.parse()?;
        Ok(Self::Other(quote!(#item)))
    }
}
