//! The programs of the examples, built as these tests are.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(build);

/// The folder that holds them; built when it is first asked for.
pub(crate) fn folder() -> &'static PathBuf {
    &FOLDER
}

/// With the profile and the features of the test run, so that only what is missing is built.
fn build() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "build",
            "--workspace",
            "--all-features",
            "--profile",
            "test",
        ])
        .args(
            [
                "account",
                "order",
                "quickstart",
                "shop",
                "storage",
                "unanimous",
            ]
            .map(|bin| format!("--bin={bin}")),
        )
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the examples do not build");
    let messages = String::from_utf8(output.stdout).expect("cargo writes text");
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let shop = messages
        .filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .find(|path| path.file_stem().is_some_and(|name| name == "shop"))
        .expect("cargo built the launcher");
    shop.parent().expect("a file lies in a folder").to_owned()
}
