//! `cargo xtask ide`: what an editor shows of annotated code.
//!
//! `xtask/ide` is built from rust-analyzer's crates, which takes long, so this is no step of `test`.

use std::fs;

use crate::workspace::Workspace;

const SAMPLE: &str = include_str!("../ide/sample.rs.in");

/// Writes the sample as a package of its own, and asks rust-analyzer about it.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let build = workspace.target.join("ide");
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
    let ide = workspace.root.join("xtask/ide");
    let sample = folder.display().to_string();
    let status = workspace
        .cargo(&["run", "--quiet", "--locked", "--", &sample])
        .current_dir(ide)
        .env("CARGO_TARGET_DIR", build)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("what an editor shows: {status}"))
    }
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
