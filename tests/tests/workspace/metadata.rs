//! What cargo says of the workspace, as far as the tests here need it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

/// The graph is that of one platform, so that the lists read the same wherever they are made.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// The workspace's packages; read once for all tests of this program.
pub(crate) static MEMBERS: LazyLock<Vec<Package>> = LazyLock::new(members);

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) folder: PathBuf,
    pub(crate) published: bool,
    /// The package's own features and what each turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// What its manifest asks for.
    pub(crate) declared: Vec<Declared>,
}

#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
    pub(crate) default_features: bool,
    pub(crate) features: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Build,
    Dev,
    Normal,
}

/// The root of the tree.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package lies in the workspace")
}

/// Whether the package is one of ours.
pub(crate) fn is_ours(name: &str) -> bool {
    MEMBERS.iter().any(|member| member.name == name)
}

fn members() -> Vec<Package> {
    let text = cargo(&["metadata", "--format-version", "1", "--locked", "--no-deps"]);
    let json: Value = serde_json::from_str(&text).expect("metadata is JSON");
    list(&json["packages"]).iter().map(Package::read).collect()
}

/// All versions of every crate that is built for the `packages`, over the given kinds of edges.
///
/// From `cargo tree`: the graph of `cargo metadata` also holds what no feature turns on.
pub(crate) fn crates(packages: &[&str], edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut args = vec!["tree", "--locked", "--all-features", "--target", PLATFORM];
    args.extend(["--prefix", "none", "--format", "{p}", "--edges", edges]);
    args.extend(packages.iter().flat_map(|package| ["--package", package]));
    let mut crates: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in cargo(&args).lines() {
        // `syn v3.0.9`, with ` (proc-macro)` or ` (*)` behind it.
        let mut words = line.split(' ');
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let version = version.trim_start_matches('v').to_owned();
            crates.entry(name.to_owned()).or_default().insert(version);
        }
    }
    crates
}

fn cargo(args: &[&str]) -> String {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(args)
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo writes text")
}

impl Package {
    fn read(package: &Value) -> Self {
        let features = package["features"].as_object().into_iter().flatten();
        let manifest = Path::new(text(&package["manifest_path"]));
        Self {
            name: text(&package["name"]).to_owned(),
            version: text(&package["version"]).to_owned(),
            folder: manifest
                .parent()
                .expect("a manifest lies in a folder")
                .to_owned(),
            // `null` publishes anywhere, `[]` nowhere.
            published: package["publish"].is_null(),
            features: features
                .map(|(name, on)| (name.clone(), texts(on)))
                .collect(),
            declared: list(&package["dependencies"])
                .iter()
                .map(Declared::read)
                .collect(),
        }
    }
}

impl Declared {
    fn read(dependency: &Value) -> Self {
        Self {
            name: text(&dependency["name"]).to_owned(),
            kind: Kind::read(&dependency["kind"]),
            optional: dependency["optional"] == true,
            default_features: dependency["uses_default_features"] == true,
            features: texts(&dependency["features"]),
        }
    }
}

impl Kind {
    fn read(kind: &Value) -> Self {
        match kind.as_str() {
            None => Self::Normal,
            Some("build") => Self::Build,
            Some("dev") => Self::Dev,
            Some(other) => panic!("cargo knows a new kind of dependency: {other}"),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn texts(value: &Value) -> Vec<String> {
    list(value)
        .iter()
        .map(|value| text(value).to_owned())
        .collect()
}
