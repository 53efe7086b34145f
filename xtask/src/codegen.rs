//! `cargo xtask codegen`: rewrites what is generated from `protocol/proto`.

use crate::{
    steps::{self, Verdict},
    workspace::Workspace,
};

/// Runs the test that compares the generated files with the definition, with the switch that makes
/// it write them instead. With the whole workspace's features, so that nothing is built twice.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mut command =
        workspace.cargo(&["test", "--workspace", "--all-features", "--test", "codegen"]);
    command.env("UPDATE_EXPECT", "1");
    match steps::execute(&mut command) {
        Verdict::Failed(why) => Err(format!("the definition does not compile: {why}")),
        Verdict::Ok | Verdict::Skipped(_) => {
            println!("the generated files are those of protocol/proto");
            Ok(())
        }
    }
}
