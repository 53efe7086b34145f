//! `cargo xtask bless`: rewrites what tests compare with.

use crate::{
    steps::{self, Verdict},
    workspace::Workspace,
};

/// Rewrites every file of expected output.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    rewrite(workspace, &["--lib", "--tests"])
}

/// Runs the tests of `targets` with the two switches that make them write what they would compare.
fn rewrite(workspace: &Workspace, targets: &[&str]) -> Result<(), String> {
    let mut command = workspace.cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]);
    // expect-test and our own lists read the first, trybuild the second.
    command
        .args(targets)
        .env("UPDATE_EXPECT", "1")
        .env("TRYBUILD", "overwrite");
    match steps::execute(&mut command) {
        Verdict::Failed(why) => Err(format!("some tests fail for another reason: {why}")),
        Verdict::Ok | Verdict::Skipped(_) => {
            println!("rewritten; read `git diff` before you commit it");
            Ok(())
        }
    }
}
