//! Expands the cases of `../tests/expand`: each `case.rs` is compiled and run by the tests crate,
//! and what its annotated items become stands beside it in `case.expanded.rs`.
//!
//! `UPDATE_EXPECT=1 cargo test -p unanimous-macros` rewrites those files.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, ImplItem, Item, Meta, TraitItem};

use crate::{global_transactional, participant};

/// The folder of the cases.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/expand")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".rs"))
        .filter(|path| !path.to_string_lossy().ends_with(".expanded.rs"))
        .collect();
    cases.sort();
    cases
}

/// Takes one of our attributes off, with what stands in its parentheses.
fn take(attrs: &mut Vec<Attribute>, name: &str) -> Option<TokenStream> {
    let is_it = |attr: &Attribute| attr.path().segments.last().is_some_and(|s| s.ident == name);
    let attr = attrs.remove(attrs.iter().position(is_it)?);
    Some(match attr.meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    })
}

/// The expansion of an item, if it or one of its methods is annotated.
fn expanded(item: &Item) -> Option<TokenStream> {
    match item.clone() {
        Item::Fn(mut function) => {
            let args = take(&mut function.attrs, "global_transactional")?;
            Some(global_transactional::expand(args, quote!(#function)))
        }
        Item::Impl(mut block) => match take(&mut block.attrs, "participant") {
            Some(args) => Some(participant::expand(args, quote!(#block))),
            // There the methods are expanded after another macro has changed them.
            None if block.attrs.iter().any(is_async_trait) => None,
            None => {
                let changed = block.items.iter_mut().filter_map(method_of_impl).count();
                (changed > 0).then(|| block.into_token_stream())
            }
        },
        Item::Trait(item) if item.attrs.iter().any(is_async_trait) => None,
        Item::Trait(mut item) => {
            let changed = item.items.iter_mut().filter_map(method_of_trait).count();
            (changed > 0).then(|| item.into_token_stream())
        }
        Item::Mod(mut module) => {
            let (_, items) = module.content.take()?;
            let items: Vec<TokenStream> = items.iter().filter_map(expanded).collect();
            let name = &module.ident;
            (!items.is_empty()).then(|| quote!(mod #name { #(#items)* }))
        }
        _ => None,
    }
}

fn is_async_trait(attr: &Attribute) -> bool {
    attr.path()
        .segments
        .last()
        .is_some_and(|last| last.ident == "async_trait")
}

fn method_of_impl(item: &mut ImplItem) -> Option<()> {
    let ImplItem::Fn(method) = item else {
        return None;
    };
    let args = take(&mut method.attrs, "global_transactional")?;
    *item = ImplItem::Verbatim(global_transactional::expand(args, quote!(#method)));
    Some(())
}

fn method_of_trait(item: &mut TraitItem) -> Option<()> {
    let TraitItem::Fn(method) = item else {
        return None;
    };
    let args = take(&mut method.attrs, "global_transactional")?;
    *item = TraitItem::Verbatim(global_transactional::expand(args, quote!(#method)));
    Some(())
}

/// The tokens as people would write them. The printer leaves the arguments of macros alone, so
/// calls of macros are printed as calls of functions and changed back.
fn printed(tokens: TokenStream) -> String {
    let file = syn::parse2(calls(tokens)).expect("an expansion parses");
    prettyplease::unparse(&file).replace("__macro_call(", "!(")
}

fn calls(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut changed = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if is_call(&tokens[at + 1..]) => {
                changed.push(quote::format_ident!("{ident}__macro_call").into());
            }
            TokenTree::Punct(_)
                if at > 0 && is_call(&tokens[at..]) && is_ident(&tokens[at - 1]) => {}
            TokenTree::Group(group) => {
                let inner = Group::new(group.delimiter(), calls(group.stream()));
                changed.push(inner.into());
            }
            other => changed.push(other.clone()),
        }
    }
    changed.into_iter().collect()
}

fn is_ident(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(_))
}

/// Whether `!(..)` follows.
fn is_call(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(bang), TokenTree::Group(group), ..]
        if bang.as_char() == '!' && group.delimiter() == proc_macro2::Delimiter::Parenthesis)
}

fn expansion_of(case: &Path) -> String {
    let source = fs::read_to_string(case).unwrap();
    let file = syn::parse_file(&source).unwrap_or_else(|e| panic!("{}: {e}", case.display()));
    file.items
        .iter()
        .filter_map(expanded)
        .map(printed)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_case_expands_to_what_stands_beside_it() {
    let cases = cases();
    assert!(
        cases.len() >= 20,
        "cases are missing: found {}",
        cases.len()
    );
    for case in cases {
        let expansion = expansion_of(&case);
        assert!(
            !expansion.contains("compile_error"),
            "{}: {expansion}",
            case.display()
        );
        expect_file![case.with_extension("expanded.rs")].assert_eq(&expansion);
    }
}

#[test]
fn every_expansion_has_its_case() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Some(case) = name.strip_suffix(".expanded.rs") {
            let source = folder().join(format!("{case}.rs"));
            assert!(source.exists(), "{name} is left over: {case}.rs is gone");
        }
    }
}

#[test]
fn with_a_crate_path_the_default_name_occurs_nowhere() {
    for case in ["global_crate_path.rs", "participant_crate_path.rs"] {
        let expansion = expansion_of(&folder().join(case));
        assert!(
            expansion.contains("crate::renamed::__private"),
            "{expansion}"
        );
        let of_ours = expansion.replace("unanimous::Error", "");
        assert!(!of_ours.contains("unanimous"), "{case}: {expansion}");
    }
}

#[test]
fn an_annotated_function_calls_the_runtime_once() {
    let expansion = expansion_of(&folder().join("bare.rs"));
    assert_eq!(
        expansion.matches("::unanimous::__private::run_").count(),
        1,
        "{expansion}"
    );
    assert_eq!(
        expansion.matches(".await").count(),
        2,
        "one is the user's: {expansion}"
    );
}

#[test]
fn a_body_that_cannot_be_parsed_is_passed_on() {
    let item = quote! { async fn f() -> Result<(), E> { let x = ; x. } };
    let expansion = global_transactional::expand(TokenStream::new(), item).to_string();
    assert!(expansion.contains("let x = ; x ."), "{expansion}");
    assert!(expansion.contains("run_global"), "{expansion}");
    let args = quote!(name = "half");
    let item = quote! {
        impl Half {
            #[two_phase_action(commit = done, rollback = undone)]
            async fn act(&self) -> Result<(), E> { self. }
            async fn done(&self) -> Result<(), E> { let }
            async fn undone(&self) -> Result<(), E> { Ok(()) }
        }
    };
    let expansion = participant::expand(args, item).to_string();
    assert!(expansion.contains("run_unfenced"), "{expansion}");
    assert!(!expansion.contains("compile_error"), "{expansion}");
}
