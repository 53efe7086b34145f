//! Writes packages, has cargo check and build them, and takes the time.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::sources::Kind;
use crate::workspace::Workspace;

/// A generated package.
pub(super) struct Package<'a> {
    workspace: &'a Workspace,
    kind: Kind,
    folder: PathBuf,
    build: PathBuf,
    source: String,
    /// Each run compiles a text that was not compiled before.
    runs: Cell<u32>,
}

/// What came of a build.
pub(super) struct Built {
    pub(super) time: Duration,
    pub(super) bytes: u64,
}

impl Built {
    #[expect(clippy::cast_precision_loss, reason = "it is for people")]
    pub(super) fn megabytes(&self) -> f64 {
        self.bytes as f64 / 1e6
    }
}

impl<'a> Package<'a> {
    pub(super) fn write(
        workspace: &'a Workspace,
        folder: &Path,
        kind: Kind,
        items: u32,
    ) -> Result<Self, String> {
        let build = folder.join("build");
        let folder = folder.join(kind.package());
        manifest(workspace, &folder, kind.package(), "lib.rs")?;
        Ok(Self {
            workspace,
            kind,
            folder,
            build,
            source: kind.source(items),
            runs: Cell::new(0),
        })
    }

    /// What `cargo check` takes when everything else is there.
    pub(super) fn check(&self) -> Result<Duration, String> {
        self.time(&["check"])
    }

    /// The same of `cargo build`, and how large the library is.
    pub(super) fn build(&self, release: bool) -> Result<Built, String> {
        let (args, profile): (&[&str], _) = if release {
            (&["build", "--release"], "release")
        } else {
            (&["build"], "debug")
        };
        let time = self.time(args)?;
        let library = format!("{profile}/lib{}.rlib", self.kind.package());
        let library = self.build.join(library);
        let bytes = fs::metadata(&library).map_err(|error| shown(&library, &error))?;
        Ok(Built {
            time,
            bytes: bytes.len(),
        })
    }

    fn time(&self, args: &[&str]) -> Result<Duration, String> {
        self.runs.set(self.runs.get() + 1);
        let source = format!("{}\n// {}\n", self.source, self.runs.get());
        write(&self.folder.join("src/lib.rs"), &source)?;
        let mut cargo = cargo(self.workspace, &self.folder, &self.build, args);
        let (start, before) = (Instant::now(), processor_time());
        succeed(&mut cargo, self.kind.package())?;
        let elapsed = start.elapsed();
        Ok(match (before, processor_time()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => elapsed,
        })
    }
}

/// Has cargo do this to what all packages depend on.
pub(super) fn dependencies(
    workspace: &Workspace,
    folder: &Path,
    args: &[&str],
) -> Result<(), String> {
    let build = folder.join("build");
    let folder = folder.join("nothing");
    manifest(workspace, &folder, "nothing", "lib.rs")?;
    succeed(&mut cargo(workspace, &folder, &build, args), "nothing")
}

/// The processor time of all programs that this one has started and awaited, where the system tells
/// it: unlike the time of a clock it means something on a machine that is busy with other work.
fn processor_time() -> Option<Duration> {
    ticks(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// Of a line of `/proc/PID/stat`: after the name in brackets, the 14th and 15th field count the
/// hundredths of a second of awaited children, in user and in system mode.
fn ticks(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

/// Builds the program that calls annotated functions, and lets it print what a call takes.
pub(super) fn calls(workspace: &Workspace, folder: &Path) -> Result<(), String> {
    let build = folder.join("build");
    let folder = folder.join("calls");
    manifest(workspace, &folder, "calls", "main.rs")?;
    let modules = workspace.root.join("tests/tests/budgets");
    let program = include_str!("calls.rs.in").replace("TESTS", &modules.display().to_string());
    write(&folder.join("src/main.rs"), &program)?;
    let args = ["run", "--release", "--quiet"];
    let status = cargo(workspace, &folder, &build, &args).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the calls: {status}")),
        Err(error) => Err(format!("cargo does not start: {error}")),
    }
}

fn manifest(workspace: &Workspace, folder: &Path, name: &str, source: &str) -> Result<(), String> {
    let runtime = workspace.root.join("runtime");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n\
         futures-util = {{ version = \"0.3\", default-features = false, features = [\"std\"] }}\n\
         tokio = {{ version = \"1\", default-features = false, features = [\"rt\", \"time\"] }}\n\
         tracing = {{ version = \"0.1\", default-features = false, features = [\"attributes\", \"std\"] }}\n\
         unanimous = {{ path = {:?}, default-features = false, features = [\"sqlite\"] }}\n\n\
         [profile.dev]\nincremental = false\n\n[workspace]\n",
        runtime.display().to_string()
    );
    let sources = folder.join("src");
    fs::create_dir_all(&sources).map_err(|error| shown(&sources, &error))?;
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&sources.join(source), "")?;
    // The versions that the workspace was tested with, and no look into a registry.
    let lock = workspace.root.join("Cargo.lock");
    let lock = fs::read_to_string(&lock).map_err(|error| shown(&lock, &error))?;
    write(&folder.join("Cargo.lock"), &lock)
}

fn cargo(workspace: &Workspace, folder: &Path, build: &Path, args: &[&str]) -> Command {
    let mut cargo = workspace.cargo(args);
    cargo
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", build)
        .env("CARGO_INCREMENTAL", "0");
    cargo
}

fn succeed(cargo: &mut Command, what: &str) -> Result<(), String> {
    let output = cargo
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what}: {told}"))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| shown(file, &error))
}

fn shown(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_read_behind_the_name() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 150 25 20 0 1 0";
        assert_eq!(ticks(stat), Some(Duration::from_millis(1_750)));
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
