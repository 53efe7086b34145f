//! What an editor shows of annotated code: a generated package is loaded as rust-analyzer loads it,
//! and its questions are asked. `cargo xtask ide` writes the package and runs this.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::Command;

use ra_ap_ide::{
    Analysis, AnalysisHost, CompletionConfig, CompletionFieldsToResolve, FileId, FilePosition,
    FileRange, GotoDefinitionConfig, HoverConfig, HoverDocFormat, RaFixtureConfig, RenameConfig,
    SubstTyLen, TextRange, TextSize,
};
use ra_ap_ide_db::SnippetCap;
use ra_ap_ide_db::imports::insert_use::{ImportGranularity, InsertUseConfig, PrefixKind};
use ra_ap_load_cargo::{LoadCargoConfig, ProcMacroServerChoice, load_workspace_at};
use ra_ap_paths::AbsPathBuf;
use ra_ap_project_model::CargoConfig;
use ra_ap_vfs::VfsPath;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let folder = env::args().nth(1).ok_or("name the folder of the package")?;
    let sample = Sample::load(Path::new(&folder))?;
    let mut failed = Vec::new();
    let checks: [(&str, fn(&Sample) -> Result<String, Failure>); 5] = [
        ("go to definition of `commit = confirm`", definition),
        ("rename of the partner", rename),
        ("hover over a call", hover),
        ("hover over the action", hover_declaration),
        ("completion of a call", completion),
    ];
    for (what, check) in checks {
        match check(&sample) {
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

/// The loaded package.
struct Sample {
    analysis: Analysis,
    file: FileId,
    text: String,
}

impl Sample {
    fn load(folder: &Path) -> Result<Self, Failure> {
        let load = LoadCargoConfig {
            load_out_dirs_from_check: true,
            with_proc_macro_server: ProcMacroServerChoice::Explicit(macro_server()?),
            prefill_caches: false,
            num_worker_threads: 1,
            proc_macro_processes: 1,
        };
        let cargo = CargoConfig::default();
        let (db, vfs, server) = load_workspace_at(folder, &cargo, &load, &|_| ())?;
        server.ok_or("the toolchain has no server of procedural macros")?;
        let path = folder.join("src/lib.rs");
        let text = std::fs::read_to_string(&path)?;
        let path = VfsPath::from(AbsPathBuf::assert_utf8(path));
        let (file, _) = vfs.file_id(&path).ok_or("the source was not loaded")?;
        let analysis = AnalysisHost::with_database(db).analysis();
        Ok(Self {
            analysis,
            file,
            text,
        })
    }

    /// The place of `word` within the first `around`.
    fn range(&self, around: &str, word: &str) -> Result<TextRange, Failure> {
        let missing = || format!("the sample lacks {around}");
        let start = self.text.find(around).ok_or_else(missing)?;
        let within = around.find(word).ok_or_else(missing)?;
        let start = TextSize::try_from(start + within)?;
        Ok(TextRange::at(start, TextSize::try_from(word.len())?))
    }

    fn at(&self, around: &str, word: &str) -> Result<FilePosition, Failure> {
        Ok(FilePosition {
            file_id: self.file,
            offset: self.range(around, word)?.start() + TextSize::from(1),
        })
    }
}

/// The toolchain's own server: it speaks for the compiler that built the macros.
fn macro_server() -> Result<AbsPathBuf, Failure> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Command::new(rustc).args(["--print", "sysroot"]).output()?;
    let sysroot = String::from_utf8(printed.stdout)?;
    let server = Path::new(sysroot.trim()).join("libexec/rust-analyzer-proc-macro-srv");
    if server.exists() {
        Ok(AbsPathBuf::assert_utf8(server))
    } else {
        Err("the toolchain has no libexec/rust-analyzer-proc-macro-srv".into())
    }
}

/// Exactly one place, and it is the partner's name.
fn definition(sample: &Sample) -> Result<String, Failure> {
    let config = GotoDefinitionConfig {
        ra_fixture: RaFixtureConfig::default(),
    };
    let from = sample.at("commit = confirm", "confirm")?;
    let found = sample.analysis.goto_definition(from, &config)?;
    let targets = found.ok_or("it leads nowhere")?.info;
    let names: Vec<_> = targets
        .iter()
        .map(|target| (target.name.as_str().to_owned(), target.focus_range))
        .collect();
    let partner = sample.range("async fn confirm", "confirm")?;
    match &names[..] {
        [(name, Some(range))] if *range == partner => Ok(format!("`{name}`, and nothing else")),
        others => Err(format!("{others:?}, expected {partner:?}").into()),
    }
}

/// The word in the attribute and the partner's name change, and nothing else.
fn rename(sample: &Sample) -> Result<String, Failure> {
    let config = RenameConfig {
        prefer_no_std: false,
        prefer_prelude: true,
        prefer_absolute: false,
        show_conflicts: true,
    };
    let from = sample.at("async fn confirm", "confirm")?;
    let change = sample.analysis.rename(from, "settle", &config)?;
    let change = change.map_err(|error| error.to_string())?;
    let mut changed = Vec::new();
    for (file, (edit, _)) in &change.source_file_edits {
        for indel in edit {
            changed.push((*file, indel.delete, indel.insert.clone()));
        }
    }
    changed.sort_by_key(|(_, range, _)| range.start());
    let expected = [
        sample.range("commit = confirm", "confirm")?,
        sample.range("async fn confirm", "confirm")?,
    ]
    .map(|range| (sample.file, range, "settle".to_owned()));
    if changed == expected {
        Ok("the attribute and the partner".to_owned())
    } else {
        Err(format!("{changed:?}, expected {expected:?}").into())
    }
}

fn hover(sample: &Sample) -> Result<String, Failure> {
    hovered(sample, sample.range("accounts.debit(", "debit")?)
}

fn hover_declaration(sample: &Sample) -> Result<String, Failure> {
    hovered(sample, sample.range("async fn debit(", "debit")?)
}

/// The signature that callers see, and the documentation.
fn hovered(sample: &Sample, range: TextRange) -> Result<String, Failure> {
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
    let file_id = sample.file;
    let hovered = sample
        .analysis
        .hover(&config, FileRange { file_id, range })?;
    let markup = hovered.ok_or("nothing is shown")?.info.markup.to_string();
    let one_line = markup.split_whitespace().collect::<Vec<_>>().join(" ");
    public(&one_line)?;
    if one_line.contains("Holds the amount.") {
        Ok(one_line)
    } else {
        Err(format!("its documentation is missing: {one_line}").into())
    }
}

fn completion(sample: &Sample) -> Result<String, Failure> {
    let config = CompletionConfig {
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
    };
    let at = sample.at("accounts.debit(", "debit")?;
    let items = sample.analysis.completions(&config, at, None)?;
    let items = items.ok_or("nothing is offered")?;
    let item = items
        .iter()
        .find(|item| item.lookup() == "debit")
        .ok_or("`debit` is not offered")?;
    let detail = item.detail.clone().ok_or("no signature is shown")?;
    public(&detail)?;
    Ok(detail)
}

/// The fence's transaction is no parameter of the public signature; the others are.
fn public(signature: &str) -> Result<(), Failure> {
    let whole = signature.contains("user: &str") && signature.contains("amount: i64");
    if whole && !signature.contains("tx") {
        Ok(())
    } else {
        Err(format!("not the public signature: {signature}").into())
    }
}
