//! `cargo xtask ide`: what an editor shows of annotated code.
//!
//! `xtask/ide` is built from rust-analyzer's crates, which takes long, so this is no step of `test`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    steps::{self, Verdict},
    workspace::Workspace,
};

const SAMPLE: &str = include_str!("../ide/sample.rs.in");

/// Writes the sample as a package of its own, and asks rust-analyzer about it.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let build = workspace.target.join("ide");
    let toolchain = printed(rustc(workspace).args(["--print", "sysroot"]))?;
    let toolchain = Path::new(toolchain.trim());
    let library = library(workspace, toolchain, &build)?;
    let sample = write_sample(workspace, &build)?;
    let status = workspace
        .cargo(&["run", "--quiet", "--locked", "--"])
        .args([sample.as_path(), toolchain, &library])
        .current_dir(workspace.root.join("xtask/ide"))
        .env("CARGO_TARGET_DIR", build)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("what an editor shows: {status}"))
    }
}

fn write_sample(workspace: &Workspace, build: &Path) -> Result<PathBuf, String> {
    let folder = build.join("sample");
    let sources = folder.join("src");
    fs::create_dir_all(&sources).map_err(|error| format!("{}: {error}", sources.display()))?;
    let lock = fs::read_to_string(workspace.root.join("Cargo.lock"));
    let lock = lock.map_err(|error| format!("Cargo.lock: {error}"))?;
    for (file, text) in [
        ("Cargo.toml", manifest(workspace)),
        ("Cargo.lock", lock),
        ("src/lib.rs", SAMPLE.to_owned()),
    ] {
        let file = folder.join(file);
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(folder)
}

fn manifest(workspace: &Workspace) -> String {
    let runtime = workspace.root.join("runtime").display().to_string();
    format!(
        "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n\
         unanimous = {{ path = {runtime:?}, default-features = false, features = [\"sqlite\"] }}\n\n\
         [workspace]\n"
    )
}

/// The sources of the standard library, which an editor needs to see into async code: those of the
/// toolchain, else those of a copy of it that belongs to this command alone. They are not added to
/// the toolchain itself: the compiler would quote them, and compile-fail messages would change.
fn library(workspace: &Workspace, toolchain: &Path, build: &Path) -> Result<PathBuf, String> {
    if let Some(found) = sources_of(toolchain) {
        return Ok(found);
    }
    let version = printed(rustc(workspace).arg("-vV"))?;
    let release = release(&version).ok_or_else(|| format!("not a version of rustc: {version}"))?;
    let home = build.join("rustup");
    if let Some(found) = sources_of_copy(&home, release) {
        return Ok(found);
    }
    println!(
        "{} has no sources of the standard library: installing Rust {release} with `rust-src` into {}",
        toolchain.display(),
        home.display()
    );
    let installed = steps::execute(rustup(&home).args([
        "toolchain",
        "install",
        release,
        "--profile",
        "minimal",
        "--component",
        "rust-src",
        "--no-self-update",
    ]));
    match (installed, sources_of_copy(&home, release)) {
        (Verdict::Ok, Some(found)) => Ok(found),
        (Verdict::Failed(why), _) => Err(missing(&home, release, &why)),
        _ => Err(missing(&home, release, "rustup installed none")),
    }
}

fn missing(home: &Path, release: &str, why: &str) -> String {
    format!(
        "the sources of the standard library are missing: {why}. With rustup and the network they \
         are fetched into {}; without rustup, install `rust-src` of Rust {release} the way you \
         installed rustc",
        home.display()
    )
}

fn sources_of_copy(home: &Path, release: &str) -> Option<PathBuf> {
    let sysroot = printed(
        rustup(home)
            .args(["run", release, "rustc", "--print", "sysroot"])
            .stderr(Stdio::null()),
    );
    sources_of(Path::new(sysroot.ok()?.trim()))
}

fn sources_of(toolchain: &Path) -> Option<PathBuf> {
    let library = toolchain.join("lib/rustlib/src/rust/library");
    library.join("core/src/lib.rs").is_file().then_some(library)
}

fn release(version: &str) -> Option<&str> {
    version
        .lines()
        .find_map(|line| line.strip_prefix("release: "))
}

fn rustc(workspace: &Workspace) -> Command {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.current_dir(&workspace.root);
    command
}

/// Sees only the toolchains in `home`.
fn rustup(home: &Path) -> Command {
    let mut command = Command::new("rustup");
    command
        .env("RUSTUP_HOME", home)
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn printed(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?} does not start: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!(
            "{command:?}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_the_compiler_is_read_from_its_version() {
        let version = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nrelease: 1.95.0\n";
        assert_eq!(release(version), Some("1.95.0"));
        assert_eq!(release("rustc 1.95.0"), None);
    }

    #[test]
    fn a_folder_without_core_is_no_toolchain_with_sources() {
        assert_eq!(sources_of(Path::new(env!("CARGO_MANIFEST_DIR"))), None);
    }
}
