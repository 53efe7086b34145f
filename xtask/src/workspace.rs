//! Where things are, and how cargo is called.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The tree and the folder that cargo builds in.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

/// One package of the workspace.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Member {
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    pub(crate) published: bool,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self, String> {
        let xtask = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = xtask
            .parent()
            .ok_or("this package has no parent folder")?
            .to_owned();
        let exe = env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let target = exe
            .ancestors()
            .find(|folder| is_build_folder(folder))
            .map_or_else(|| root.join("target"), Path::to_owned);
        Ok(Self { root, target })
    }

    /// A cargo command in the root, building where this very program was built.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(args)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target);
        // `cargo run` describes *this* package in its environment; left in place, that would count
        // as a change for build scripts that watch these variables.
        for (name, _) in env::vars_os() {
            let is_ours = name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
            });
            if is_ours {
                command.env_remove(name);
            }
        }
        command
    }

    /// The workspace's packages, from `cargo metadata`.
    pub(crate) fn members(&self) -> Result<Vec<Member>, String> {
        let output = self
            .cargo(&["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .map_err(|error| format!("cargo metadata does not start: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "cargo metadata: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let metadata = String::from_utf8_lossy(&output.stdout);
        member_folders(&metadata)?
            .iter()
            .map(|folder| {
                let manifest = folder.join("Cargo.toml");
                let text = fs::read_to_string(&manifest)
                    .map_err(|error| format!("{}: {error}", manifest.display()))?;
                member(folder, &text)
                    .ok_or_else(|| format!("{}: no package name", manifest.display()))
            })
            .collect()
    }
}

/// Cargo leaves a file of its own in its build folder, whatever put the folder where it is.
pub(crate) fn is_build_folder(folder: &Path) -> bool {
    folder.join(".rustc_info.json").is_file()
}

/// Whether an empty machine is being checked: what is missing is then a failure.
pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// The folders out of `"workspace_members":["path+file:///tree/protocol#name@0.1.0", ..]`.
fn member_folders(metadata: &str) -> Result<Vec<PathBuf>, String> {
    let unreadable = "cargo metadata lists no workspace members";
    let (_, list) = metadata
        .split_once("\"workspace_members\":[")
        .ok_or(unreadable)?;
    let (list, _) = list.split_once(']').ok_or(unreadable)?;
    list.split(',')
        .map(|id| {
            let id = id.trim().trim_matches('"');
            let folder = id
                .strip_prefix("path+file://")
                .and_then(|id| id.split_once('#'));
            let (folder, _) = folder.ok_or_else(|| format!("unreadable package id `{id}`"))?;
            Ok(folder.replace("%20", " ").into())
        })
        .collect()
}

fn member(folder: &Path, manifest: &str) -> Option<Member> {
    let package = manifest.split("\n[").find(|table| {
        table
            .trim_start_matches('[')
            .trim_start()
            .starts_with("package]")
    })?;
    let name = package
        .lines()
        .find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='))?
        .trim()
        .trim_matches('"');
    let published = !package
        .lines()
        .any(|line| line.replace(' ', "") == "publish=false");
    Some(Member {
        folder: folder.to_owned(),
        name: name.to_owned(),
        published,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_from_package_ids() {
        let metadata = r#"{"packages":[],"workspace_members":["path+file:///a%20b/protocol#unanimous-protocol@0.1.0","path+file:///a%20b/xtask#0.1.0"],"x":[]}"#;
        assert_eq!(
            member_folders(metadata),
            Ok(vec!["/a b/protocol".into(), "/a b/xtask".into()])
        );
    }

    #[test]
    fn metadata_without_members_is_an_error() {
        assert!(member_folders("{}").is_err());
        assert!(member_folders(r#"{"workspace_members":["registry+x#1"]}"#).is_err());
    }

    #[test]
    fn a_package_is_published_unless_it_says_otherwise() {
        let published = "[package]\nname = \"unanimous\"\n\n[lints]\nworkspace = true\n";
        let kept = "[package]\nname = \"xtask\"\npublish = false\n";
        // Only the package's own table counts.
        let elsewhere = "[package]\nname = \"a\"\n[package.metadata.x]\npublish = false\n";
        for (manifest, name, published) in [
            (published, "unanimous", true),
            (kept, "xtask", false),
            (elsewhere, "a", true),
        ] {
            let folder = Path::new("/tree/a");
            let expected = Member {
                folder: folder.to_owned(),
                name: name.to_owned(),
                published,
            };
            assert_eq!(member(folder, manifest), Some(expected));
        }
        assert_eq!(member(Path::new("/"), "[workspace]\n"), None);
    }
}
