//! The package that is looked at, loaded as rust-analyzer loads it.

use std::path::Path;

use ra_ap_ide::{Analysis, AnalysisHost, FileId, FilePosition, TextRange, TextSize};
use ra_ap_load_cargo::{LoadCargoConfig, ProcMacroServerChoice, load_workspace_at};
use ra_ap_paths::AbsPathBuf;
use ra_ap_project_model::{CargoConfig, RustLibSource};
use ra_ap_vfs::VfsPath;

use crate::Failure;

/// The loaded package.
pub(crate) struct Sample {
    pub(crate) analysis: Analysis,
    pub(crate) file: FileId,
    text: String,
}

impl Sample {
    /// Loads `folder`, with the macros' server of `toolchain`, which speaks for the compiler that
    /// built the macros, and the standard library from the sources in `library`: without `core`,
    /// expansions have macros that lead nowhere, and what is inside them is not seen.
    pub(crate) fn load(folder: &Path, toolchain: &Path, library: &Path) -> Result<Self, Failure> {
        let server = toolchain.join("libexec/rust-analyzer-proc-macro-srv");
        if !server.exists() {
            return Err(format!("there is no {}", server.display()).into());
        }
        let load = LoadCargoConfig {
            load_out_dirs_from_check: true,
            with_proc_macro_server: ProcMacroServerChoice::Explicit(absolute(&server)),
            prefill_caches: false,
            num_worker_threads: 1,
            proc_macro_processes: 1,
        };
        let cargo = CargoConfig {
            sysroot: Some(RustLibSource::Path(absolute(toolchain))),
            sysroot_src: Some(absolute(library)),
            ..CargoConfig::default()
        };
        let (db, vfs, server) = load_workspace_at(folder, &cargo, &load, &|_| ())?;
        server.ok_or("the toolchain's server of procedural macros does not start")?;
        let path = folder.join("src/lib.rs");
        let text = std::fs::read_to_string(&path)?;
        let path = VfsPath::from(absolute(&path));
        let (file, _) = vfs.file_id(&path).ok_or("the source was not loaded")?;
        let analysis = AnalysisHost::with_database(db).analysis();
        Ok(Self {
            analysis,
            file,
            text,
        })
    }

    /// The place of `word` within the first `around`.
    pub(crate) fn range(&self, around: &str, word: &str) -> Result<TextRange, Failure> {
        let missing = || format!("the sample lacks {around}");
        let start = self.text.find(around).ok_or_else(missing)?;
        let within = around.find(word).ok_or_else(missing)?;
        let start = TextSize::try_from(start + within)?;
        Ok(TextRange::at(start, TextSize::try_from(word.len())?))
    }

    /// Behind the first letter of `word`.
    pub(crate) fn at(&self, around: &str, word: &str) -> Result<FilePosition, Failure> {
        Ok(FilePosition {
            file_id: self.file,
            offset: self.range(around, word)?.start() + TextSize::from(1),
        })
    }
}

fn absolute(path: &Path) -> AbsPathBuf {
    AbsPathBuf::assert_utf8(path.to_owned())
}
