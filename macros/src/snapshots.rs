//! Expands the cases of `../tests/expand`: each `case.rs` is compiled and run by the tests crate,
//! and what its annotated items become stands beside it in the folder `case`, a file per function,
//! `PIECE.expanded.rs`.
//!
//! `UPDATE_EXPECT=1 cargo test -p unanimous-macros` rewrites those files.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ImplItem, Item, ItemFn, ItemImpl, ItemTrait, Meta, Token, TraitItem, Type,
};

use crate::{global_transactional, participant, two_phase_action};

/// What fits on a screen: no expansion is longer, so that a reviewer sees it whole.
const SCREEN_LINES: usize = 60;

/// The folder of the cases.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/expand")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
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

/// One piece of an expansion, small enough for a file of its own.
struct Piece {
    name: String,
    tokens: TokenStream,
}

/// The pieces of an item's expansion, if it or one of its methods is annotated.
fn pieces(item: &Item) -> Vec<Piece> {
    match item.clone() {
        Item::Fn(function) => of_function(function),
        Item::Impl(mut block) => match take(&mut block.attrs, "participant") {
            Some(args) => of_participant(&block, args),
            // There the methods are expanded after another macro has changed them.
            None if block.attrs.iter().any(is_async_trait) => Vec::new(),
            None => of_methods(&block),
        },
        Item::Trait(item) if item.attrs.iter().any(is_async_trait) => Vec::new(),
        Item::Trait(item) => of_trait(&item),
        Item::Mod(module) => {
            let (_, items) = module.content.unwrap_or_default();
            items.iter().flat_map(pieces).collect()
        }
        _ => Vec::new(),
    }
}

fn of_function(mut function: ItemFn) -> Vec<Piece> {
    let name = function.sig.ident.to_string();
    if let Some(args) = take(&mut function.attrs, "two_phase_action") {
        return of_action(
            &name,
            two_phase_action::expand_alone(args, quote!(#function)),
        );
    }
    match take(&mut function.attrs, "global_transactional") {
        Some(args) => vec![Piece {
            name,
            tokens: global_transactional::expand(args, quote!(#function)),
        }],
        None => Vec::new(),
    }
}

/// A free function that is an action: the function, and the record beside it.
fn of_action(name: &str, expanded: TokenStream) -> Vec<Piece> {
    let file: syn::File = syn::parse2(expanded).expect("an expansion parses");
    let names = ["function", "linked"].map(|piece| format!("{name}.{piece}"));
    let items = file.items.into_iter().filter_map(|item| match item {
        // The record is passed through a macro that only says, by its name, where it may stand.
        Item::Macro(call) if call.ident.is_some() => None,
        Item::Macro(call) => Some(call.mac.tokens),
        item => Some(item.into_token_stream()),
    });
    names
        .into_iter()
        .zip(items)
        .map(|(name, tokens)| Piece { name, tokens })
        .collect()
}

fn is_async_trait(attr: &Attribute) -> bool {
    attr.path()
        .segments
        .last()
        .is_some_and(|last| last.ident == "async_trait")
}

/// `Accounts` of `impl<R> Service for Accounts<R>`.
fn name_of(block: &ItemImpl) -> String {
    match block.self_ty.as_ref() {
        Type::Path(path) => path.path.segments.last().unwrap().ident.to_string(),
        other => panic!("a case's type has a name: {}", quote!(#other)),
    }
}

/// The block with one of its items alone.
fn alone(block: &ItemImpl, item: ImplItem) -> TokenStream {
    let mut block = block.clone();
    block.items = vec![item];
    block.into_token_stream()
}

/// Every annotated method of a plain impl block, each in the block by itself.
fn of_methods(block: &ItemImpl) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for item in &block.items {
        let ImplItem::Fn(mut method) = item.clone() else {
            continue;
        };
        if let Some(args) = take(&mut method.attrs, "global_transactional") {
            let expanded = global_transactional::expand(args, quote!(#method));
            pieces.push(Piece {
                name: format!("{}.{}", name_of(block), method.sig.ident),
                tokens: alone(block, ImplItem::Verbatim(expanded)),
            });
        }
    }
    pieces
}

/// Every annotated method of a trait.
fn of_trait(block: &ItemTrait) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for item in &block.items {
        let TraitItem::Fn(mut method) = item.clone() else {
            continue;
        };
        if let Some(args) = take(&mut method.attrs, "global_transactional") {
            let expanded = global_transactional::expand(args, quote!(#method));
            let mut alone = block.clone();
            alone.items = vec![TraitItem::Verbatim(expanded)];
            pieces.push(Piece {
                name: format!("{}.{}", block.ident, method.sig.ident),
                tokens: alone.into_token_stream(),
            });
        }
    }
    pieces
}

/// A participant: every method that is not as it was written; what moved out of a trait's impl;
/// the dispatch of phase two; and everything else that is generated.
fn of_participant(block: &ItemImpl, args: TokenStream) -> Vec<Piece> {
    let written: Vec<String> = block.items.iter().map(without_lints).collect();
    let expanded = participant::expand(args, quote!(#block));
    let file: syn::File = syn::parse2(expanded).expect("an expansion parses");
    let (mut pieces, mut rest) = (Vec::new(), TokenStream::new());
    for item in file.items {
        let Item::Impl(generated) = item else {
            item.to_tokens(&mut rest);
            continue;
        };
        let is_derived = |attr: &Attribute| attr.path().is_ident("automatically_derived");
        if generated.attrs.iter().any(is_derived) {
            let (phase_two, others) = apart(generated);
            pieces.push(("phase_two".to_owned(), phase_two));
            others.to_tokens(&mut rest);
        } else if generated.trait_.is_some() != block.trait_.is_some() {
            pieces.push(("partners".to_owned(), generated.into_token_stream()));
        } else {
            for item in &generated.items {
                if let ImplItem::Fn(method) = item
                    && !written.contains(&without_lints(item))
                {
                    let name = method.sig.ident.to_string();
                    pieces.push((name, alone(&generated, item.clone())));
                }
            }
        }
    }
    pieces.push(("participant".to_owned(), rest));
    let type_name = name_of(block);
    pieces
        .into_iter()
        .map(|(name, tokens)| Piece {
            name: format!("{type_name}.{name}"),
            tokens,
        })
        .collect()
}

/// The `Participant` impl as its dispatch and the rest of it.
fn apart(generated: ItemImpl) -> (TokenStream, ItemImpl) {
    let is_phase_two =
        |item: &ImplItem| matches!(item, ImplItem::Fn(method) if method.sig.ident == "phase_two");
    let (phase_two, others): (Vec<_>, Vec<_>) =
        generated.items.iter().cloned().partition(is_phase_two);
    let dispatch = ItemImpl {
        items: phase_two,
        ..generated.clone()
    };
    let others = ItemImpl {
        items: others,
        ..generated
    };
    (dispatch.into_token_stream(), others)
}

/// An item without the lints that are allowed on partners.
fn without_lints(item: &ImplItem) -> String {
    let mut item = item.clone();
    if let ImplItem::Fn(method) = &mut item {
        method.attrs.retain(|attr| !attr.path().is_ident("allow"));
    }
    item.into_token_stream().to_string()
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

/// Whether `!(..)` follows, with what can be the arguments of a function in it.
fn is_call(tokens: &[TokenTree]) -> bool {
    let [TokenTree::Punct(bang), TokenTree::Group(group), ..] = tokens else {
        return false;
    };
    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
    bang.as_char() == '!'
        && group.delimiter() == proc_macro2::Delimiter::Parenthesis
        && arguments.parse2(calls(group.stream())).is_ok()
}

/// Every piece of a case's expansion, printed, under the name of its file.
fn expansions_of(case: &Path) -> Vec<(PathBuf, String)> {
    let source = fs::read_to_string(case).unwrap();
    let file = syn::parse_file(&source).unwrap_or_else(|e| panic!("{}: {e}", case.display()));
    let mut pieces: Vec<Piece> = file.items.iter().flat_map(pieces).collect();
    // Beside an action, a transactional function only calls it.
    if pieces.iter().any(|piece| {
        [".participant", ".linked"]
            .iter()
            .any(|end| piece.name.ends_with(end))
    }) {
        pieces.retain(|piece| piece.name.contains('.'));
    }
    let mut expansions: Vec<(PathBuf, String)> = Vec::new();
    for piece in pieces {
        let path = |suffix: &str| {
            let name = piece.name.replace("r#", "");
            case.with_extension("")
                .join(format!("{name}{suffix}.expanded.rs"))
        };
        // The same method under another condition is a second one of its name.
        let free = ["", ".2"]
            .map(path)
            .into_iter()
            .find(|path| expansions.iter().all(|(taken, _)| taken != path));
        expansions.push((free.expect("a free name"), printed(piece.tokens)));
    }
    expansions
}

fn expansion_of(case: &Path) -> String {
    let expansions = expansions_of(case).into_iter();
    expansions.map(|(_, text)| text).collect()
}

/// The files in which expansions stand.
fn snapshots() -> Vec<PathBuf> {
    let folders = cases().into_iter().map(|case| case.with_extension(""));
    let entries = folders.filter_map(|folder| fs::read_dir(folder).ok());
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_case_expands_to_what_stands_beside_it() {
    let cases = cases();
    assert!(
        cases.len() >= 40,
        "cases are missing: found {}",
        cases.len()
    );
    for (snapshot, expansion) in cases.iter().flat_map(|case| expansions_of(case)) {
        let shown = snapshot.display();
        assert!(!expansion.contains("compile_error"), "{shown}: {expansion}");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
        }
        expect_file![snapshot].assert_eq(&expansion);
    }
}

#[test]
fn every_expansion_fits_on_a_screen() {
    let expansions: Vec<_> = cases()
        .iter()
        .flat_map(|case| expansions_of(case))
        .collect();
    assert!(
        expansions.len() >= 40,
        "expansions are missing: found {}",
        expansions.len()
    );
    for (snapshot, expansion) in expansions {
        let lines = expansion.lines().count();
        assert!(
            lines <= SCREEN_LINES,
            "{} has {lines} lines, more than {SCREEN_LINES}: split the case",
            snapshot.display()
        );
    }
}

#[test]
fn every_expansion_has_its_case() {
    let mut expected: Vec<PathBuf> = cases()
        .iter()
        .flat_map(|case| expansions_of(case))
        .map(|(snapshot, _)| snapshot)
        .collect();
    expected.sort();
    assert_eq!(snapshots(), expected, "remove what is left over");
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let case = path.with_extension("rs");
        assert!(
            !path.is_dir() || case.exists(),
            "{} is left over: {} is gone",
            path.display(),
            case.display()
        );
    }
}

#[test]
fn with_a_crate_path_the_default_name_occurs_nowhere() {
    for case in ["global_crate_path.rs", "participant_crate_path.rs"] {
        let expansion = expansion_of(&folder().join(case));
        assert!(
            expansion.contains("crate::renamed::crate_must_name_the_crate_unanimous::"),
            "{expansion}"
        );
        let of_ours = expansion
            .replace("unanimous::Error", "")
            .replace("crate_must_name_the_crate_unanimous", "");
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
