//! What an editor shows of annotated code: a generated package is loaded as rust-analyzer loads it,
//! and its questions are asked. `cargo xtask ide` writes the package and runs this.

mod sample;

use std::env;
use std::error::Error;
use std::path::Path;

use ra_ap_ide::{
    CompletionConfig, CompletionFieldsToResolve, FilePosition, FileRange, GotoDefinitionConfig,
    HoverConfig, HoverDocFormat, RaFixtureConfig, RenameConfig, SubstTyLen, TextRange,
};
use ra_ap_ide_db::SnippetCap;
use ra_ap_ide_db::imports::insert_use::{ImportGranularity, InsertUseConfig, PrefixKind};

use sample::Sample;

type Failure = Box<dyn Error>;

/// One question, where it is asked, and what the answer must be.
enum Check {
    /// The word in the attribute leads to the partner and nowhere else, and a new name for the
    /// partner changes both places and nothing else.
    Partner {
        attribute: &'static str,
        declaration: &'static str,
        name: &'static str,
    },
    /// Hover over the declaration and over a call, and completion of the call, show the signature
    /// that callers see and nothing else; hover also says whose it is, and its documentation.
    Shown {
        declaration: &'static str,
        call: &'static str,
        name: &'static str,
        owner: &'static str,
        signature: &'static str,
        documentation: &'static str,
    },
    /// While a call is typed, its completion shows the signature that callers see.
    Typed {
        so_far: &'static str,
        name: &'static str,
        signature: &'static str,
    },
}

const DEBIT: &str = "pub async fn debit(&self, user: &str, amount: i64) -> Result<(), Error>";

const CHECKS: &[Check] = &[
    Check::Partner {
        attribute: "commit = confirm",
        declaration: "async fn confirm(",
        name: "confirm",
    },
    Check::Shown {
        declaration: "async fn debit(",
        call: "accounts.debit(",
        name: "debit",
        owner: "sample::Accounts",
        signature: DEBIT,
        documentation: "Holds the amount.",
    },
    Check::Partner {
        attribute: "rollback = put_back",
        declaration: "async fn put_back(",
        name: "put_back",
    },
    Check::Shown {
        declaration: "async fn reserve(",
        call: "    reserve(",
        name: "reserve",
        owner: "sample",
        signature: "pub async fn reserve(article: u64) -> Result<(), Error>",
        documentation: "Sets the goods aside.",
    },
    Check::Shown {
        declaration: "async fn buy(",
        call: "    buy(",
        name: "buy",
        owner: "sample",
        signature: "pub async fn buy(accounts: &Accounts, article: u64) -> Result<(), Error>",
        documentation: "Buys an article.",
    },
    Check::Typed {
        so_far: "    accounts.de\n",
        name: "debit",
        signature: DEBIT,
    },
    Check::Typed {
        so_far: "    accounts.\n",
        name: "debit",
        signature: DEBIT,
    },
];

fn main() -> Result<(), Failure> {
    let args: Vec<_> = env::args_os().skip(1).collect();
    let [folder, toolchain, library] = args.iter().map(Path::new).collect::<Vec<_>>()[..] else {
        return Err("name the folders: the package, the toolchain, the standard library".into());
    };
    let sample = Sample::load(folder, toolchain, library)?;
    let mut failed = Vec::new();
    for (what, answer) in CHECKS.iter().flat_map(|check| check.ask(&sample)) {
        match answer {
            Ok(seen) => println!("ok      {what}: {seen}"),
            Err(why) => {
                println!("FAILED  {what}: {why}");
                failed.push(what);
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join(", ").into())
    }
}

type Answer = (String, Result<String, Failure>);

impl Check {
    fn ask(&self, sample: &Sample) -> Vec<Answer> {
        match *self {
            Self::Partner {
                attribute,
                declaration,
                name,
            } => {
                vec![
                    (
                        format!("go to definition of `{attribute}`"),
                        definition(sample, attribute, declaration, name),
                    ),
                    (
                        format!("rename of the partner `{name}`"),
                        rename(sample, attribute, declaration, name),
                    ),
                ]
            }
            Self::Shown {
                declaration,
                call,
                name,
                owner,
                signature,
                documentation,
            } => {
                let expected = format!("{owner} {signature} {documentation}");
                vec![
                    (
                        format!("hover over a call of `{name}`"),
                        hover(sample, call, name, &expected),
                    ),
                    (
                        format!("hover over the declaration of `{name}`"),
                        hover(sample, declaration, name, &expected),
                    ),
                    (
                        format!("completion of a call of `{name}`"),
                        completion(sample, call, name, signature),
                    ),
                ]
            }
            Self::Typed {
                so_far,
                name,
                signature,
            } => vec![(
                format!("completion of `{}`", so_far.trim()),
                completion(sample, so_far, name, signature),
            )],
        }
    }
}

/// Exactly one place, and it is the partner's name.
fn definition(
    sample: &Sample,
    attribute: &str,
    declaration: &str,
    name: &str,
) -> Result<String, Failure> {
    let config = GotoDefinitionConfig {
        ra_fixture: RaFixtureConfig::default(),
    };
    let from = sample.at(attribute, name)?;
    let found = sample.analysis.goto_definition(from, &config)?;
    let targets = found.ok_or("it leads nowhere")?.info;
    let places: Vec<_> = targets
        .iter()
        .map(|target| (target.name.as_str().to_owned(), target.focus_range))
        .collect();
    let partner = sample.range(declaration, name)?;
    match &places[..] {
        [(name, Some(range))] if *range == partner => Ok(format!("`{name}`, and nothing else")),
        others => Err(format!("{others:?}, expected {partner:?}").into()),
    }
}

/// The word in the attribute and the partner's name change, and nothing else.
fn rename(
    sample: &Sample,
    attribute: &str,
    declaration: &str,
    name: &str,
) -> Result<String, Failure> {
    const NEW: &str = "settle";
    let config = RenameConfig {
        prefer_no_std: false,
        prefer_prelude: true,
        prefer_absolute: false,
        show_conflicts: true,
    };
    let from = sample.at(declaration, name)?;
    let change = sample.analysis.rename(from, NEW, &config)?;
    let change = change.map_err(|error| error.to_string())?;
    let mut changed = Vec::new();
    for (file, (edit, _)) in &change.source_file_edits {
        for indel in edit {
            changed.push((*file, indel.delete, indel.insert.clone()));
        }
    }
    changed.sort_by_key(|(_, range, _)| range.start());
    let expected = [
        sample.range(attribute, name)?,
        sample.range(declaration, name)?,
    ]
    .map(|range| (sample.file, range, NEW.to_owned()));
    if changed == expected {
        Ok("the attribute and the partner".to_owned())
    } else {
        Err(format!("{changed:?}, expected {expected:?}").into())
    }
}

fn hover(sample: &Sample, place: &str, name: &str, expected: &str) -> Result<String, Failure> {
    let config = HoverConfig {
        links_in_hover: false,
        memory_layout: None,
        documentation: true,
        keywords: false,
        format: HoverDocFormat::PlainText,
        max_trait_assoc_items_count: None,
        max_fields_count: None,
        max_enum_variants_count: None,
        max_subst_ty_len: SubstTyLen::Unlimited,
        show_drop_glue: false,
        ra_fixture: RaFixtureConfig::default(),
    };
    // An empty range is where the pointer rests; a wider one is a selection, and asks for its type.
    let at = sample.at(place, name)?;
    let range = FileRange {
        file_id: at.file_id,
        range: TextRange::empty(at.offset),
    };
    let hovered = sample.analysis.hover(&config, range)?;
    let markup = hovered.ok_or("nothing is shown")?.info.markup.to_string();
    exactly(expected, &markup)
}

/// Asked at the end of what is typed of `call`, before its bracket.
fn completion(sample: &Sample, call: &str, name: &str, signature: &str) -> Result<String, Failure> {
    let config = completion_config();
    let typed = call.trim_end_matches(['(', '\n']);
    let at = FilePosition {
        file_id: sample.file,
        offset: sample.range(call, typed)?.end(),
    };
    let items = sample.analysis.completions(&config, at, None)?;
    let items = items.ok_or("nothing is offered")?;
    let offered: Vec<_> = items.iter().filter(|item| item.lookup() == name).collect();
    match &offered[..] {
        [item] => exactly(signature, item.detail.as_deref().unwrap_or_default()),
        others => Err(format!("offered {} times", others.len()).into()),
    }
}

fn completion_config() -> CompletionConfig<'static> {
    CompletionConfig {
        enable_postfix_completions: false,
        enable_imports_on_the_fly: false,
        enable_self_on_the_fly: false,
        enable_auto_iter: false,
        enable_auto_await: false,
        enable_private_editable: false,
        enable_term_search: false,
        term_search_fuel: 0,
        full_function_signatures: true,
        callable: None,
        add_semicolon_to_unit: false,
        snippet_cap: SnippetCap::new(false),
        insert_use: InsertUseConfig {
            granularity: ImportGranularity::Item,
            enforce_granularity: false,
            prefix_kind: PrefixKind::Plain,
            group: false,
            skip_glob_imports: true,
        },
        prefer_no_std: false,
        prefer_prelude: true,
        prefer_absolute: false,
        snippets: Vec::new(),
        limit: None,
        fields_to_resolve: CompletionFieldsToResolve::empty(),
        exclude_flyimport: Vec::new(),
        exclude_traits: &[],
        ra_fixture: RaFixtureConfig::default(),
    }
}

/// Nothing but `expected`, however the text is broken into lines.
fn exactly(expected: &str, shown: &str) -> Result<String, Failure> {
    let one_line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line == expected {
        Ok(one_line)
    } else {
        Err(format!("expected `{expected}`, shown: `{one_line}`").into())
    }
}
