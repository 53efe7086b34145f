//! Every public future, with the tests that drop it at each of its polls: a new one without such a
//! test is seen here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{
    Attribute, GenericArgument, Item, PathArguments, ReturnType, Signature, TraitItem, Type,
    TypeParamBound, Visibility,
};

use crate::metadata::root;

/// The crates whose futures are looked at, by the file at their top.
const CRATES: [(&str, &str); 2] = [
    ("unanimous", "runtime/src/lib.rs"),
    ("unanimous-coordinator", "coordinator/src/lib.rs"),
];

/// Traits whose implementation makes a value something to await.
const AWAITED: [&str; 4] = ["Future", "IntoFuture", "Service", "Middleware"];

const LIST: &str = "tests/tests/workspace/futures.txt";

/// What was found of one crate.
#[derive(Default)]
struct Found {
    /// `Type::function`, a function, or a type that is awaited.
    futures: BTreeSet<String>,
    /// Types that are awaited, kept only where they are public.
    awaited: BTreeSet<String>,
    /// All public types.
    types: BTreeSet<String>,
}

/// Reads a module and what lies below it, as the compiler does without `cfg(test)`.
fn read(file: &Path, found: &mut Found) {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parsed = syn::parse_file(&text);
    let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    items(&parsed.items, &below(file), found);
}

/// Where the modules lie that a file declares.
fn below(file: &Path) -> PathBuf {
    let folder = file.parent().expect("a file lies in a folder");
    match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "mod") => folder.to_owned(),
        _ => file.with_extension(""),
    }
}

fn items(all: &[Item], folder: &Path, found: &mut Found) {
    for item in all {
        match item {
            Item::Mod(module) if !is_of_tests(&module.attrs) => {
                let name = module.ident.to_string();
                // What generated code calls is the futures of the annotations.
                if name == "__private" {
                    continue;
                }
                match &module.content {
                    Some((_, inner)) => items(inner, &folder.join(&name), found),
                    None => read(&file_of(folder, &name), found),
                }
            }
            Item::Fn(function)
                if is_public(&function.vis)
                    && !is_of_tests(&function.attrs)
                    && is_awaited(&function.sig) =>
            {
                found.futures.insert(function.sig.ident.to_string());
            }
            Item::Struct(item) if is_public(&item.vis) => {
                found.types.insert(item.ident.to_string());
            }
            Item::Enum(item) if is_public(&item.vis) => {
                found.types.insert(item.ident.to_string());
            }
            Item::Trait(item) if is_public(&item.vis) => {
                for function in &item.items {
                    if let TraitItem::Fn(function) = function
                        && is_awaited(&function.sig)
                    {
                        let name = format!("{}::{}", item.ident, function.sig.ident);
                        found.futures.insert(name);
                    }
                }
            }
            Item::Impl(item) if !is_of_tests(&item.attrs) => implementation(item, found),
            // `pin_project!` holds the type that it projects.
            Item::Macro(item) if item.mac.path.is_ident("pin_project") => {
                if let Ok(inner) = syn::parse2::<Item>(item.mac.tokens.clone()) {
                    items(&[inner], folder, found);
                }
            }
            _ => {}
        }
    }
}

fn implementation(item: &syn::ItemImpl, found: &mut Found) {
    let of = match &*item.self_ty {
        Type::Path(path) => last(&path.path),
        Type::TraitObject(object) => object.bounds.iter().find_map(bound),
        _ => None,
    };
    let Some(of) = of else { return };
    if let Some((implemented, _)) = &item.trait_ {
        if last(implemented).is_some_and(|name| AWAITED.contains(&name.as_str())) {
            found.awaited.insert(of);
        }
        return;
    }
    for function in &item.items {
        if let syn::ImplItem::Fn(function) = function
            && is_public(&function.vis)
            && !is_of_tests(&function.attrs)
            && is_awaited(&function.sig)
        {
            found
                .futures
                .insert(format!("{of}::{}", function.sig.ident));
        }
    }
}

fn file_of(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(format!("{name}.rs"));
    if file.exists() {
        file
    } else {
        folder.join(name).join("mod.rs")
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// `cfg(test)` and `cfg(all(test, ..))`.
fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let text = list.tokens.to_string();
                text == "test" || text.starts_with("all (test") || text.starts_with("all(test")
            })
    })
}

fn is_awaited(signature: &Signature) -> bool {
    let answers = match &signature.output {
        ReturnType::Type(_, answer) => is_future(answer),
        ReturnType::Default => false,
    };
    signature.asyncness.is_some() || answers
}

/// A type that is awaited, or a function that answers one.
fn is_future(answer: &Type) -> bool {
    match answer {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            let name = segment.ident.to_string();
            name == "Answer"
                || name.ends_with("Future")
                || matches!(name.as_str(), "Pin" | "Box") && is_future_within(&segment.arguments)
        }),
        Type::ImplTrait(answer) => answer.bounds.iter().any(is_future_bound),
        Type::TraitObject(answer) => answer.bounds.iter().any(is_future_bound),
        _ => false,
    }
}

fn is_future_within(arguments: &PathArguments) -> bool {
    match arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .any(|argument| matches!(argument, GenericArgument::Type(inner) if is_future(inner))),
        // `Fn() -> F`
        PathArguments::Parenthesized(arguments) => {
            matches!(&arguments.output, ReturnType::Type(_, answer) if is_future(answer))
        }
        PathArguments::None => false,
    }
}

fn is_future_bound(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    let last = bound.path.segments.last();
    last.is_some_and(|last| last.ident == "Future" || is_future_within(&last.arguments))
}

fn bound(bound: &TypeParamBound) -> Option<String> {
    match bound {
        TypeParamBound::Trait(bound) => last(&bound.path),
        _ => None,
    }
}

fn last(path: &syn::Path) -> Option<String> {
    Some(path.segments.last()?.ident.to_string())
}

/// `crate: future` of every public future.
fn futures() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (name, top) in CRATES {
        let mut found = Found::default();
        read(&root().join(top), &mut found);
        let awaited = found.awaited.intersection(&found.types).cloned();
        let futures = found.futures.iter().cloned().chain(awaited);
        all.extend(futures.map(|future| format!("{name}: {future}")));
    }
    all
}

/// What the list says: each future with the tests that drop it.
fn list() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join(LIST)).expect("the list");
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &str| {
        let (future, tests) = line.split_once(" = ").unwrap_or_else(|| panic!("`{line}`"));
        let tests = tests.split(' ').map(str::to_owned);
        (future.to_owned(), tests.collect())
    };
    lines.map(entry).collect()
}

/// The names of all functions of this tree with a `test` attribute.
fn tests() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for folder in [
        "runtime/src",
        "coordinator/src",
        "tests/tests/scenarios",
        "tests/tests/kit",
    ] {
        tests_in(&root().join(folder), &mut all);
    }
    all
}

fn tests_in(folder: &Path, all: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests_in(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file is text");
            let parsed = syn::parse_file(&text).expect("it compiles");
            all.extend(parsed.items.iter().filter_map(test));
        }
    }
}

fn test(item: &Item) -> Option<String> {
    let Item::Fn(function) = item else {
        return None;
    };
    let mut attributes = function.attrs.iter();
    let is_test = attributes.any(|attribute| last(attribute.path()).as_deref() == Some("test"));
    is_test.then(|| function.sig.ident.to_string())
}

#[test]
fn c4_every_public_future_has_a_test_that_drops_it_at_each_of_its_polls() {
    let (found, listed, tests) = (futures(), list(), tests());
    assert!(found.len() > 90, "only {} were found", found.len());
    let missing: Vec<_> = found
        .iter()
        .filter(|future| !listed.contains_key(*future))
        .collect();
    assert!(
        missing.is_empty(),
        "public futures that {LIST} does not know; write a test that drops each at all of its polls \
         and name it there: {missing:#?}"
    );
    let stale: Vec<_> = listed
        .keys()
        .filter(|future| !found.contains(*future))
        .collect();
    assert!(stale.is_empty(), "take these out of {LIST}: {stale:#?}");
    for (future, by) in &listed {
        for name in by {
            assert!(tests.contains(name), "{future}: there is no test {name}");
        }
    }
}

#[test]
fn a_future_is_recognised_by_how_it_is_declared() {
    for (declared, expected) in [
        ("async fn f() {}", true),
        ("fn f() -> impl Future<Output = ()> + Send {}", true),
        ("fn f() -> BoxFuture<'static, ()> {}", true),
        (
            "fn f() -> Pin<Box<dyn Future<Output = ()> + Send>> {}",
            true,
        ),
        ("fn f() -> Answer<u8> {}", true),
        ("fn f() -> impl Fn() -> BoxFuture<'static, ()> {}", true),
        ("fn f() -> Option<Duration> {}", false),
        ("fn f(future: impl Future<Output = ()>) {}", false),
    ] {
        let function: syn::ItemFn = syn::parse_str(declared).expect("a function");
        assert_eq!(is_awaited(&function.sig), expected, "{declared}");
    }
}
