//! Where in a function its future is written: the body of an `async fn`, or the boxed form that
//! other macros leave behind.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::{
    Attribute, Block, Expr, GenericArgument, PathArguments, ReturnType, Signature, Stmt, Token,
    Type, TypeParamBound,
};

use super::annotated_fn::{AnnotatedFn, Body};
use super::arguments::ungrouped;

/// The future of a function.
#[derive(Clone)]
pub(crate) enum Shape {
    /// `async fn`: the body.
    Async,
    /// The body is one async block, or one call around it: `Box::pin(async move { .. })`.
    Block(TailBlock),
    /// Any other body that returns a `Pin<Box<dyn Future>>`: it is called as a closure, so that an
    /// early `return` of another future is inside too.
    Boxed,
}

/// An async block and what stands around it.
#[derive(Clone)]
pub(crate) struct TailBlock {
    /// `Box::pin`, or nothing.
    pub(crate) call: Option<TokenStream>,
    /// `async move` as it was written.
    pub(crate) head: TokenStream,
    /// The statements in it.
    pub(crate) body: Body,
}

impl TailBlock {
    /// The same with another content.
    pub(crate) fn around(&self, content: TokenStream) -> TokenStream {
        let Self { call, head, body } = self;
        let block = crate::hygiene::braces(content, body.braces);
        let Some(call) = call else {
            return quote!(#head #block);
        };
        quote!(#call(#head #block))
    }
}

/// The shape of a function, or nothing if it returns no future that can be seen.
pub(crate) fn shape(sig: &Signature, body: &Body) -> Option<Shape> {
    if sig.asyncness.is_some() {
        return Some(Shape::Async);
    }
    let ReturnType::Type(_, output) = &sig.output else {
        return None;
    };
    if let Some(block) = tail_block(body) {
        return Some(Shape::Block(block));
    }
    is_boxed(output).then_some(Shape::Boxed)
}

/// The body as one async block. A body that cannot be parsed is none; rustc says what is wrong.
fn tail_block(body: &Body) -> Option<TailBlock> {
    let statements = Block::parse_within.parse2(body.statements.clone()).ok()?;
    let [Stmt::Expr(tail, None)] = statements.as_slice() else {
        return None;
    };
    match ungrouped(tail.clone()) {
        Expr::Async(block) => Some(block_of(&block, None)),
        Expr::Call(call) if call.args.len() == 1 => {
            let Expr::Path(function) = call.func.as_ref() else {
                return None;
            };
            let Expr::Async(block) = call.args.first()? else {
                return None;
            };
            (function.path.segments.last()?.ident == "pin")
                .then(|| block_of(block, Some(call.func.to_token_stream())))
        }
        _ => None,
    }
}

fn block_of(block: &syn::ExprAsync, call: Option<TokenStream>) -> TailBlock {
    let (attrs, asyncness, capture) = (&block.attrs, &block.async_token, &block.capture);
    TailBlock {
        call,
        head: quote!(#(#attrs)* #asyncness #capture),
        body: Body {
            statements: block
                .block
                .stmts
                .iter()
                .map(ToTokens::to_token_stream)
                .collect(),
            braces: block.block.brace_token.span.join(),
        },
    }
}

/// A function whose only future is the missing `async`: as its callers will see it, so that what
/// they and its body await is no further mistake.
pub(crate) fn as_async(mut function: AnnotatedFn) -> AnnotatedFn {
    let sig = &mut function.sig;
    let returns_future = match &sig.output {
        ReturnType::Default => false,
        ReturnType::Type(_, returned) => is_future(returned),
    };
    let is_plain = sig.asyncness.is_none() && !returns_future && function.body.is_some();
    // `const async` would be refused once more.
    sig.constness = None;
    if is_plain && !is_entry(&function) {
        function.sig.asyncness = Some(Token![async](function.sig.fn_token.span));
    }
    function
}

/// Whether it is `main` or a test, which nobody awaits.
pub(crate) fn is_entry(function: &AnnotatedFn) -> bool {
    let is_test = |attr: &Attribute| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "test")
    };
    function.sig.ident == "main" || function.attrs.iter().any(is_test)
}

/// `Pin<Box<..>>` or the `BoxFuture` of another crate.
pub(crate) fn is_boxed(output: &Type) -> bool {
    match peeled(output) {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident == "Pin" || last.ident == "BoxFuture" || last.ident == "LocalBoxFuture"
        }),
        _ => false,
    }
}

/// Whether a return type is a future of some kind that was written out.
pub(crate) fn is_future(output: &Type) -> bool {
    is_boxed(output) || future_output(output).is_some()
}

/// What the future in a return type resolves to, where it is written there.
pub(crate) fn future_output(output: &Type) -> Option<&Type> {
    match peeled(output) {
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return None;
            };
            let mut types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            match last.ident.to_string().as_str() {
                "Pin" | "Box" => future_output(types.next()?),
                "BoxFuture" | "LocalBoxFuture" => types.next(),
                _ => None,
            }
        }
        Type::ImplTrait(written) => written.bounds.iter().find_map(bound_output),
        Type::TraitObject(written) => written.bounds.iter().find_map(bound_output),
        _ => None,
    }
}

fn bound_output(bound: &TypeParamBound) -> Option<&Type> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let last = bound.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
        _ => None,
    })
}

fn peeled(ty: &Type) -> &Type {
    super::types::peeled(ty)
}
