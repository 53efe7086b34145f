//! A function whose signature is parsed and whose body stays raw tokens: a body that is half
//! written must not keep the item from being emitted.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Token, Visibility};

use crate::hygiene::{at, braces};

/// A function, a method, or a trait's method without a body.
#[derive(Clone)]
pub(crate) struct AnnotatedFn {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    pub(crate) body: Option<Body>,
}

/// The statements of a function, and where its braces stand.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) statements: TokenStream,
    pub(crate) braces: Span,
}

impl Body {
    /// The statements in braces of ours that stand where the user's stand: an error about the
    /// value of the body is reported where a plain function shows it.
    pub(crate) fn block(&self) -> TokenStream {
        braces(self.statements.clone(), at(self.braces))
    }
}

impl Parse for AnnotatedFn {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = if input.peek(Token![default]) {
            input.parse()?
        } else {
            None
        };
        let sig = input.parse()?;
        let body = body(input)?;
        Ok(Self {
            attrs,
            vis,
            defaultness,
            sig,
            body,
        })
    }
}

fn body(input: ParseStream<'_>) -> syn::Result<Option<Body>> {
    if input.parse::<Option<Token![;]>>()?.is_some() {
        return Ok(None);
    }
    let group = braced(input.parse()?)
        .ok_or_else(|| input.error("expected the body of the function, in braces"))?;
    Ok(Some(Body {
        statements: group.stream(),
        braces: group.span(),
    }))
}

/// The brace group, out of the invisible groups that a `$body:block` arrives in.
fn braced(token: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut inner = group.stream().into_iter();
            let only = inner.next()?;
            if inner.next().is_some() {
                None
            } else {
                braced(only)
            }
        }
        _ => None,
    }
}

impl AnnotatedFn {
    /// The function with this body in the user's braces.
    pub(crate) fn with_body(&self, content: TokenStream) -> TokenStream {
        let Self {
            attrs,
            vis,
            defaultness,
            sig,
            body,
        } = self;
        let body = body.as_ref().map_or_else(
            // At the end of the signature: rustc says there that a body is missing.
            || quote_spanned!(at(sig.paren_token.span.close())=> ;),
            |body| braces(content, body.braces),
        );
        quote!(#(#attrs)* #vis #defaultness #sig #body)
    }
}

impl ToTokens for AnnotatedFn {
    /// As it was written.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let statements = self.body.as_ref().map(|body| body.statements.clone());
        tokens.extend(self.with_body(statements.unwrap_or_default()));
    }
}

/// The word that says what kind of item this is, for the message to someone who annotated it.
pub(crate) fn kind_of_item(item: &TokenStream) -> Option<&'static str> {
    const KINDS: [&str; 11] = [
        "struct",
        "enum",
        "union",
        "trait",
        "impl",
        "mod",
        "use",
        "type",
        "static",
        "macro_rules",
        "let",
    ];
    item.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) => KINDS.into_iter().find(|kind| ident == kind),
        _ => None,
    })
}
