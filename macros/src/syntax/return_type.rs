//! The typed unreachable return that opens every wrapped body.
//!
//! It fixes the type of the async block before inference sees a `?`, gives coercions a target, and
//! makes mismatches read as they do in a plain function. It is the only form of hint that accepts
//! every shape of function.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, GenericArgument, PathArguments, Type};

use super::arguments::Conversion;
use super::types::is_primitive;
use crate::hygiene::{at, local};

/// Input: `Result<u64, E>`; output: a statement that would return it, and never runs.
pub(crate) fn unreachable_return(output: &Type) -> TokenStream {
    let (output, returned) = (erased(output), local("__returned"));
    quote_spanned! {Span::mixed_site()=>
        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
        if false {
            let #returned: #output = loop {};
            return #returned;
        }
    }
}

/// The type with every `impl Trait` in it left to inference.
pub(crate) fn erased(ty: &Type) -> TokenStream {
    let mut ty = ty.clone();
    erase(&mut ty);
    ty.into_token_stream()
}

fn erase(ty: &mut Type) {
    match ty {
        Type::ImplTrait(_) => *ty = Type::Verbatim(quote!(_)),
        Type::Array(array) => erase(&mut array.elem),
        Type::Group(group) => erase(&mut group.elem),
        Type::Paren(paren) => erase(&mut paren.elem),
        Type::Ptr(ptr) => erase(&mut ptr.elem),
        Type::Reference(reference) => erase(&mut reference.elem),
        Type::Slice(slice) => erase(&mut slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                    for argument in &mut arguments.args {
                        if let GenericArgument::Type(ty) = argument {
                            erase(ty);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

/// Whether the type is none of those that may be a `Result` under another name.
pub(crate) fn is_no_result(ty: &Type) -> bool {
    match super::types::peeled(ty) {
        Type::Path(_) => is_primitive(ty),
        Type::Tuple(_) | Type::Reference(_) | Type::Array(_) | Type::Slice(_) | Type::Ptr(_) => {
            true
        }
        _ => false,
    }
}

/// `::<RETURN TYPE>`.
pub(crate) fn turbofish(output: &Type) -> TokenStream {
    let output = erased(output);
    quote_spanned!(Span::mixed_site()=> ::<#output>)
}

/// `map_err = EXPR` as a function from the transaction's failure to the whole result. A function is
/// called, so that an error of another type is reported where it is named; going through
/// `Result::map_err` tells a closure its parameter's type.
pub(crate) fn converted(convert: &Conversion) -> TokenStream {
    let Conversion {
        expression: convert,
        equals,
    } = convert;
    let error = local("__error");
    if matches!(convert, Expr::Path(_)) {
        let mut passed = error.clone();
        passed.set_span(at(*equals));
        let mut argument = Group::new(Delimiter::Parenthesis, quote!(#passed));
        argument.set_span(at(last_span(convert)));
        return quote_spanned! {Span::mixed_site()=>
            |#error| ::core::result::Result::Err(#convert #argument)
        };
    }
    let mut argument = Group::new(Delimiter::Parenthesis, quote!(#convert));
    argument.set_span(at(last_span(convert)));
    // An error of another type is reported from the first token of the call to its last.
    let call = quote_spanned! {first_punctuation(convert)=>
        ::core::result::Result::Err(#error).map_err #argument
    };
    quote_spanned!(Span::mixed_site()=> |#error| #call)
}

/// Where an expression ends.
fn last_span(expression: &Expr) -> Span {
    let last = expression.to_token_stream().into_iter().last();
    last.map_or_else(Span::mixed_site, |token| token.span())
}

/// Our hygiene, where an expression begins if it begins with punctuation: the `|` of a closure.
fn first_punctuation(expression: &Expr) -> Span {
    match expression.to_token_stream().into_iter().next() {
        Some(TokenTree::Punct(first)) => at(first.span()),
        _ => Span::mixed_site(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impl_trait_is_erased_at_any_depth() {
        let ty: Type =
            syn::parse_str("Result<(impl Display, Box<impl Fn(u8) -> u8 + 'a>), E>").unwrap();
        assert_eq!(erased(&ty).to_string(), "Result < (_ , Box < _ >) , E >");
    }
}
