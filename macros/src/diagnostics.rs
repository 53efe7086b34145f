//! Where mistakes are collected, so that all of them are reported together, and the guard that
//! keeps a defect of ours from swallowing the user's item.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};

/// The mistakes found in one annotated item, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// A mistake at these tokens of the user's.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Into<String>) {
        self.push(syn::Error::new_spanned(tokens, message.into()));
    }

    /// A mistake at this place.
    pub(crate) fn at_span(&mut self, span: Span, message: impl Into<String>) {
        self.push(syn::Error::new(span, message.into()));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// The value, or nothing after its error was taken down.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(error);
                None
            }
        }
    }

    /// Of all mistakes whose message begins so, keeps one: the first of which this is said too, if
    /// there is one.
    pub(crate) fn keep_one(&mut self, begins: &str, preferred: &str) {
        let is_one = |error: &syn::Error| error.to_string().starts_with(begins);
        let is_preferred = |error: &syn::Error| error.to_string().contains(preferred);
        let all = || self.0.iter().enumerate().filter(|(_, error)| is_one(error));
        let kept = all()
            .find(|(_, error)| is_preferred(error))
            .or(all().next());
        let kept = kept.map(|(at, _)| at);
        let mut at = 0;
        self.0.retain(|error| {
            let keeps = !is_one(error) || kept == Some(at);
            at += 1;
            keeps
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many mistakes were found: tells a stage whether it added one.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// One `compile_error!` item per mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// Runs an annotation; a panic in it becomes an error beside the item as it was written.
pub(crate) fn guarded(
    annotation: &str,
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
    expand: fn(TokenStream, TokenStream) -> TokenStream,
) -> proc_macro::TokenStream {
    let (args, item) = (TokenStream::from(args), TokenStream::from(item));
    let original = item.clone();
    // The streams are owned by the closure, so nothing half-changed is seen after a panic.
    let expanded = catch_unwind(AssertUnwindSafe(|| expand(args, item)));
    expanded
        .unwrap_or_else(|panic| defect(annotation, original, panic.as_ref()))
        .into()
}

fn defect(annotation: &str, item: TokenStream, panic: &(dyn Any + Send)) -> TokenStream {
    let why = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let message = format!(
        "this is a defect of #[{annotation}], not of your code: please report it with the \
         annotated item. It says: {why}"
    );
    let error = quote_spanned!(Span::call_site()=> ::core::compile_error! { #message });
    quote::quote!(#item #error)
}

/// `` `a`, `b`, `c` `` for messages.
pub(crate) fn quoted<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The known word that `written` was probably meant to be.
pub(crate) fn similar<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (distance(written, word), word))
        .filter(|(distance, word)| *distance <= word.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many letters must be inserted, removed or replaced to turn one word into the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested_and_a_far_one_is_not() {
        let known = ["commit", "rollback", "name"];
        assert_eq!(similar("comit", known), Some("commit"));
        assert_eq!(similar("rolback", known), Some("rollback"));
        assert_eq!(similar("fence", known), None);
    }

    #[test]
    fn a_panic_keeps_the_item_and_asks_for_a_report() {
        let item: TokenStream = "fn f() {}".parse().unwrap();
        let panic: Box<dyn Any + Send> = Box::new("index out of bounds");
        let shown = defect("participant", item, panic.as_ref()).to_string();
        assert!(shown.starts_with("fn f () { }"), "{shown}");
        assert!(shown.contains("please report it"), "{shown}");
        assert!(shown.contains("index out of bounds"), "{shown}");
    }
}
