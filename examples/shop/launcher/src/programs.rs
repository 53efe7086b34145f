//! The programs that the shop consists of.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use crate::Failure;
use crate::shop::Role;

/// Where each program is.
#[derive(Debug)]
pub(crate) struct Programs(BTreeMap<Role, PathBuf>);

/// What cargo tells about each thing that it built.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Programs {
    /// Those in a folder.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, Failure> {
        let paths = Role::ALL.map(|role| (role, folder.join(role.program())));
        for (_, path) in &paths {
            if !path.is_file() {
                return Err(format!("{} is missing: build it first", path.display()).into());
            }
        }
        Ok(Self(paths.into()))
    }

    /// Builds them in the profile in which this program was built.
    pub(crate) async fn build() -> Result<Self, Failure> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."))
            .args([
                "build",
                "--message-format=json-render-diagnostics",
                "--profile",
            ])
            .arg(profile(&env::current_exe()?))
            .args(Role::ALL.iter().flat_map(|role| ["--bin", role.program()]))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let output = command.output().await?;
        if !output.status.success() {
            return Err(format!("the shop does not build: {}", output.status).into());
        }
        let built = executables(&String::from_utf8(output.stdout)?);
        let mut paths = BTreeMap::new();
        for role in Role::ALL {
            let path = built.get(role.program());
            let path = path.ok_or_else(|| format!("cargo built no {}", role.program()))?;
            paths.insert(role, path.clone());
        }
        Ok(Self(paths))
    }

    pub(crate) fn path(&self, role: Role) -> &Path {
        // Both constructors put every role in.
        &self.0[&role]
    }
}

/// The profile whose folder holds this executable.
fn profile(executable: &Path) -> String {
    let folder = executable
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default();
    match folder.to_string_lossy().as_ref() {
        // The folder of `dev` keeps its old name.
        "debug" => "dev".to_owned(),
        name => name.to_owned(),
    }
}

/// The executables among cargo's messages, one message a line.
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages
        .filter_map(|message| Some((message.target?.name, message.executable?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"order"},"executable":"/t/order"}
{"reason":"compiler-artifact","target":{"name":"libc"},"executable":null}
{"reason":"build-script-executed","package_id":"libc"}
{"reason":"build-finished","success":true}"#;
        let expected = BTreeMap::from([("order".to_owned(), PathBuf::from("/t/order"))]);
        assert_eq!(executables(messages), expected);
    }

    #[test]
    fn the_profile_is_that_of_the_launcher() {
        for (executable, expected) in [
            ("/t/debug/shop", "dev"),
            ("/t/release/shop", "release"),
            ("/t/own/shop", "own"),
        ] {
            assert_eq!(profile(Path::new(executable)), expected);
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Programs::of_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("unanimous is missing"), "{error}");
    }
}
