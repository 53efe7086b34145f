//! Programs that the steps need beside the Rust toolchain.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    steps::{self, Verdict},
    workspace::{self, Workspace},
};

/// The newest release that builds on the pinned toolchain; its reports change between releases.
const CARGO_DENY: &str = "0.20.2";

/// What a Debian package is needed for, and how to see that it is there.
struct DebianPackage {
    name: &'static str,
    purpose: &'static str,
    present: fn() -> bool,
}

const DEBIAN_PACKAGES: &[DebianPackage] = &[
    DebianPackage {
        name: "gcc",
        purpose: "links every program and compiles SQLite, which comes as C source",
        present: || on_path("cc") || on_path("gcc"),
    },
    DebianPackage {
        name: "libc6-dev",
        purpose: "the C library's headers, which SQLite includes",
        present: || {
            Path::new("/usr/include/stdlib.h").exists()
                || !Path::new("/etc/debian_version").exists()
        },
    },
];

/// Installs what is missing. Without root it says what to install; only under CI is that a failure.
pub(crate) fn install(workspace: &Workspace) -> Verdict {
    let problems: Vec<_> = [install_debian_packages(), install_cargo_deny(workspace)]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    if problems.is_empty() {
        Verdict::Ok
    } else {
        missing(problems.join("; "))
    }
}

/// Bans, licences and sources. Not the advisories: their database cannot be fetched everywhere, and
/// a new entry in it would fail a change that did nothing wrong.
pub(crate) fn deny(workspace: &Workspace) -> Verdict {
    match cargo_deny(workspace) {
        Some(program) => steps::execute(&mut deny_command(
            workspace,
            &program,
            &["bans", "licenses", "sources"],
        )),
        None => missing(format!("cargo-deny {CARGO_DENY} is not installed")),
    }
}

/// `cargo xtask advisories`.
pub(crate) fn advisories(workspace: &Workspace) -> Result<(), String> {
    install_cargo_deny(workspace)?;
    let program = cargo_deny(workspace).ok_or("cargo-deny is not installed")?;
    match steps::execute(&mut deny_command(workspace, &program, &["advisories"])) {
        Verdict::Failed(why) => Err(why),
        Verdict::Ok | Verdict::Skipped(_) => Ok(()),
    }
}

/// A tool that is not there must not look like a check that passed.
fn missing(what: String) -> Verdict {
    missing_on(what, workspace::is_ci())
}

fn missing_on(what: String, is_ci: bool) -> Verdict {
    if is_ci {
        return Verdict::Failed(what);
    }
    println!("!!! {what}");
    Verdict::Skipped(what)
}

fn install_debian_packages() -> Result<(), String> {
    let wanted: Vec<_> = DEBIAN_PACKAGES
        .iter()
        .filter(|package| !(package.present)())
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    for package in &wanted {
        println!("missing: {} ({})", package.name, package.purpose);
    }
    let names: Vec<_> = wanted.iter().map(|package| package.name).collect();
    let by_hand = format!("apt-get install {}", names.join(" "));
    if !on_path("apt-get") {
        return Err(format!(
            "this is no Debian: install what Debian calls {}",
            names.join(", ")
        ));
    }
    if !is_root() {
        return Err(format!("install as root: {by_hand}"));
    }
    for args in [
        &["update"][..],
        &["install", "--yes", "--no-install-recommends"],
    ] {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        if args[0] == "install" {
            command.args(&names);
        }
        if let Verdict::Failed(why) = steps::execute(&mut command) {
            return Err(format!("`{by_hand}` failed: {why}"));
        }
    }
    Ok(())
}

fn install_cargo_deny(workspace: &Workspace) -> Result<(), String> {
    if cargo_deny(workspace).is_some() {
        return Ok(());
    }
    let tools = workspace.target.join("tools");
    println!(
        "installing cargo-deny {CARGO_DENY} into {}",
        tools.display()
    );
    let mut command = workspace.cargo(&["install", "--locked"]);
    command
        .arg(format!("cargo-deny@{CARGO_DENY}"))
        .arg("--root")
        .arg(&tools);
    // Its build is of no use afterwards: cargo removes it when it chooses the folder itself.
    command.env_remove("CARGO_TARGET_DIR");
    match steps::execute(&mut command) {
        Verdict::Failed(why) => Err(format!("cargo-deny {CARGO_DENY} is not installed: {why}")),
        Verdict::Ok | Verdict::Skipped(_) => Ok(()),
    }
}

fn deny_command(workspace: &Workspace, program: &Path, checks: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--workspace", "--all-features", "check"])
        .args(checks);
    command.current_dir(&workspace.root);
    command
}

/// The one installed here, else one on the path; only ever the pinned version.
fn cargo_deny(workspace: &Workspace) -> Option<PathBuf> {
    let ours = workspace.target.join("tools/bin/cargo-deny");
    [ours, PathBuf::from("cargo-deny")]
        .into_iter()
        .find(|program| {
            Command::new(program)
                .arg("--version")
                .stderr(Stdio::null())
                .output()
                .is_ok_and(|output| is_pinned(&String::from_utf8_lossy(&output.stdout)))
        })
}

fn is_pinned(version: &str) -> bool {
    version.trim() == format!("cargo-deny {CARGO_DENY}")
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_cargo_deny_counts() {
        assert!(is_pinned("cargo-deny 0.20.2\n"));
        for other in ["cargo-deny 0.20.1\n", "cargo-deny 0.20.20\n", ""] {
            assert!(!is_pinned(other), "{other}");
        }
    }

    #[test]
    fn a_missing_tool_fails_only_under_ci() {
        assert_eq!(
            missing_on("no x".into(), true),
            Verdict::Failed("no x".into())
        );
        assert_eq!(
            missing_on("no x".into(), false),
            Verdict::Skipped("no x".into())
        );
    }

    #[test]
    fn a_program_is_found_on_the_path_or_not_at_all() {
        assert!(on_path("sh"));
        assert!(!on_path("unanimous-no-such-program"));
    }
}
