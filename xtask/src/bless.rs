//! `cargo xtask bless`: rewrites every file of expected output.

use crate::{
    steps::{self, Verdict},
    workspace::Workspace,
};

/// Runs the tests with the two switches that make them write what they would compare.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mut command = workspace.cargo(&[
        "test",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
        "--lib",
        "--tests",
    ]);
    // expect-test and our own lists read the first, trybuild the second.
    command
        .env("UPDATE_EXPECT", "1")
        .env("TRYBUILD", "overwrite");
    match steps::execute(&mut command) {
        Verdict::Failed(why) => Err(format!("some tests fail for another reason: {why}")),
        Verdict::Ok | Verdict::Skipped(_) => {
            println!("expected output is rewritten; read `git diff` before you commit it");
            Ok(())
        }
    }
}
