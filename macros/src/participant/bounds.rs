//! Bounds of a participant's type parameters, as far as they can be read.
//!
//! A type that does not live as long as the runtime is told by rustc wherever it is used. Where the
//! bounds show it, it is told once, at the parameter.

use syn::{GenericParam, Generics, Ident, Type, TypeParam, TypeParamBound, WherePredicate};

use crate::diagnostics::Errors;
use crate::syntax::types::{mentions, peeled};

/// Traits that say nothing about how long a type lives. Others may imply `'static`.
const SAY_NOTHING: [&str; 16] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "DeserializeOwned",
    "Display",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Send",
    "Serialize",
    "Sized",
    "Sync",
    "Unpin",
];

/// Takes down every type parameter that may be a borrowed type.
pub(super) fn check(generics: &Generics, errors: &mut Errors) {
    for parameter in generics.type_params() {
        if may_borrow(parameter, generics) {
            let ident = &parameter.ident;
            let message = format!(
                "a participant lives as long as the runtime and is shared between threads: write \
                 `{ident}: Send + Sync + 'static`, besides the bounds that it has"
            );
            errors.at(ident, message);
        }
    }
}

/// The generics with the bounds that [`check`] misses.
pub(super) fn completed(generics: &Generics) -> Generics {
    let mut completed = generics.clone();
    for parameter in &mut completed.params {
        if let GenericParam::Type(parameter) = parameter
            && may_borrow(parameter, generics)
        {
            parameter
                .bounds
                .push(syn::parse_quote!(::core::marker::Send));
            parameter
                .bounds
                .push(syn::parse_quote!(::core::marker::Sync));
            parameter.bounds.push(syn::parse_quote!('static));
        }
    }
    completed
}

/// Whether no bound makes it `'static`, as far as it can be seen.
fn may_borrow(parameter: &TypeParam, generics: &Generics) -> bool {
    let clauses = generics.where_clause.iter();
    let mut predicates = clauses.flat_map(|clause| &clause.predicates);
    parameter.bounds.iter().all(says_nothing)
        && predicates.all(|predicate| match predicate {
            WherePredicate::Type(predicate) if is_it(&predicate.bounded_ty, &parameter.ident) => {
                predicate.bounds.iter().all(says_nothing)
            }
            // Of a type that holds it, only a lifetime is a bound on it too.
            WherePredicate::Type(predicate) => {
                !may_hold(&predicate.bounded_ty, &parameter.ident)
                    || predicate.bounds.iter().all(says_nothing)
            }
            _ => true,
        })
}

fn says_nothing(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| SAY_NOTHING.iter().any(|known| last.ident == known)),
        _ => false,
    }
}

fn is_it(ty: &Type, parameter: &Ident) -> bool {
    matches!(peeled(ty), Type::Path(path) if path.path.is_ident(parameter))
}

fn may_hold(ty: &Type, parameter: &Ident) -> bool {
    let this = Ident::new("Self", parameter.span());
    mentions(ty, &[parameter, &this])
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;

    fn found(block: &str) -> Vec<String> {
        let block: syn::ItemImpl = syn::parse_str(block).unwrap();
        let mut generics = block.generics.type_params();
        let mut found = Vec::new();
        for parameter in &mut generics {
            if may_borrow(parameter, &block.generics) {
                found.push(parameter.ident.to_string());
            }
        }
        found
    }

    #[test]
    fn parameters_without_a_lifetime_are_found() {
        assert_eq!(found("impl<R> Mailer<R> {}"), ["R"]);
        assert_eq!(found("impl<R: Send + ?Sized> Mailer<R> {}"), ["R"]);
        assert_eq!(
            found("impl<R: Clone, S> Mailer<R, S> where S: std::fmt::Debug {}"),
            ["R", "S"]
        );
    }

    #[test]
    fn bounds_that_may_imply_a_lifetime_are_left_to_the_compiler() {
        for block in [
            "impl<R: 'static> Mailer<R> {}",
            "impl<R: Repo> Mailer<R> {}",
            "impl<R> Mailer<R> where R: Send + 'static {}",
            "impl<R> Mailer<R> where R: Repo {}",
            "impl<R> Mailer<R> where Self: 'static {}",
            "impl<R> Mailer<R> where Mailer<R>: Shared {}",
            "impl<const N: usize> Mailer<N> {}",
        ] {
            assert_eq!(found(block), Vec::<String>::new(), "{block}");
        }
    }

    #[test]
    fn what_is_missing_is_added() {
        let block: syn::ItemImpl = syn::parse_str("impl<R: Send, S: Repo> M<R, S> {}").unwrap();
        let completed = completed(&block.generics).to_token_stream().to_string();
        assert_eq!(
            completed,
            "< R : Send + :: core :: marker :: Send + :: core :: marker :: Sync + 'static , S : Repo >"
        );
    }
}
