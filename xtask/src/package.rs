//! What would be published, built from its packages alone; nothing is published.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    steps::{self, Verdict},
    workspace::Workspace,
};

/// Packages and builds every member that may be published.
///
/// One command for all of them: cargo then resolves the exact versions they pin of one another
/// among the new packages instead of asking the registry for them.
pub(crate) fn run(workspace: &Workspace) -> Verdict {
    let members = match workspace.members() {
        Ok(members) => members,
        Err(why) => return Verdict::Failed(why),
    };
    let published: Vec<_> = members
        .iter()
        .filter(|member| member.published)
        .map(|member| member.name.as_str())
        .collect();
    if let Err(why) = forget_earlier_packages(workspace, &published) {
        return Verdict::Failed(why);
    }
    // Whether the tree is committed is git's business; nothing leaves this machine.
    let mut args = vec!["package", "--workspace", "--allow-dirty"];
    for member in members.iter().filter(|member| !member.published) {
        args.extend(["--exclude", &member.name]);
    }
    steps::execute(&mut workspace.cargo(&args))
}

/// Cargo takes an unpacked package for immutable, so a second run in the same build folder would
/// check today's packages against yesterday's versions of each other. Removes what an earlier run
/// unpacked, and the record that it is already built.
fn forget_earlier_packages(workspace: &Workspace, names: &[&str]) -> Result<(), String> {
    for unpacked in unpacked_folders(&cargo_home()?)? {
        for package in folders_in(&unpacked)? {
            let is_ours = package
                .file_name()
                .and_then(|name| name.to_str()?.rsplit_once('-'))
                .is_some_and(|(name, _)| names.contains(&name));
            if is_ours {
                remove(&package)?;
            }
        }
    }
    for build in stale_builds(&workspace.target.join("debug"))? {
        remove(&build)?;
    }
    Ok(())
}

fn cargo_home() -> Result<PathBuf, String> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .ok_or_else(|| "neither CARGO_HOME nor HOME is set".to_owned())
}

/// Where cargo unpacks from a folder of packages: named `-<hash>`, as such a source has no host.
fn unpacked_folders(cargo_home: &Path) -> Result<Vec<PathBuf>, String> {
    let mut folders = folders_in(&cargo_home.join("registry/src"))?;
    folders.retain(|folder| {
        folder
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with('-'))
    });
    Ok(folders)
}

/// The fingerprints of builds whose source is such an unpacked package.
fn stale_builds(profile: &Path) -> Result<Vec<PathBuf>, String> {
    let mut stale = Vec::new();
    let fingerprints = folders_in(&profile.join(".fingerprint"))?;
    let deps = profile.join("deps");
    for fingerprint in fingerprints {
        // `.fingerprint/some-name-<hash>` goes with `deps/some_name-<hash>.d`.
        let Some((name, hash)) = fingerprint
            .file_name()
            .and_then(|name| name.to_str()?.rsplit_once('-'))
        else {
            continue;
        };
        let sources = deps.join(format!("{}-{hash}.d", name.replace('-', "_")));
        // Build scripts have no such file, and none of ours has a build script.
        let from_package =
            fs::read_to_string(&sources).is_ok_and(|sources| sources.contains("/registry/src/-"));
        if from_package {
            stale.push(fingerprint);
        }
    }
    Ok(stale)
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(paths.filter(|path| path.is_dir()).collect())
}

fn remove(folder: &Path) -> Result<(), String> {
    fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("xtask-package-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn only_builds_of_unpacked_packages_are_stale() {
        let profile = scratch("stale");
        fs::create_dir_all(profile.join("deps")).unwrap();
        for (build, source) in [
            (
                "unanimous_macros-1",
                "/cargo/registry/src/-0f13/unanimous-macros-0.1.0/src/lib.rs",
            ),
            ("unanimous_macros-2", "macros/src/lib.rs"),
            (
                "syn-3",
                "/cargo/registry/src/index.crates.io-19/syn-3.0.9/src/lib.rs",
            ),
        ] {
            fs::write(
                profile.join(format!("deps/{build}.d")),
                format!("{build}.rlib: {source}"),
            )
            .unwrap();
        }
        for name in [
            "unanimous-macros-1",
            "unanimous-macros-2",
            "syn-3",
            "no-sources-4",
        ] {
            fs::create_dir_all(profile.join(".fingerprint").join(name)).unwrap();
        }
        let stale = stale_builds(&profile).unwrap();
        fs::remove_dir_all(&profile).unwrap();
        assert_eq!(stale, [profile.join(".fingerprint/unanimous-macros-1")]);
    }

    #[test]
    fn only_sources_without_a_host_are_unpacked_packages() {
        let home = scratch("home");
        for name in ["-0f13", "registry.example-1949"] {
            fs::create_dir_all(home.join("registry/src").join(name)).unwrap();
        }
        let unpacked = unpacked_folders(&home).unwrap();
        fs::remove_dir_all(&home).unwrap();
        assert_eq!(unpacked, [home.join("registry/src/-0f13")]);
    }

    #[test]
    fn a_machine_that_never_packaged_has_nothing_to_forget() {
        let nowhere = Path::new("/nonexistent/unanimous");
        assert_eq!(unpacked_folders(nowhere), Ok(Vec::new()));
        assert_eq!(stale_builds(nowhere), Ok(Vec::new()));
    }
}
