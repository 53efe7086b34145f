//! The project's own commands, run as `cargo xtask COMMAND`; `cargo xtask help` lists them.
//!
//! No dependency on purpose: the command that checks the tree must not wait for the tree to build,
//! and what is built for one package alone would rebuild shared crates with other features.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a command prints is what it is for"
)]

mod bless;
mod budgets;
mod check;
mod codegen;
mod ide;
mod package;
mod rules;
mod steps;
mod tools;
mod workspace;

use std::{fmt::Write as _, process::ExitCode};

use workspace::Workspace;

const HELP: &str = "\
cargo xtask COMMAND

  test [STEP..]  everything that must hold before a change lands: installs what is missing,
                 then runs every step and prints a table of steps, seconds and verdicts.
                 Name steps to run only these. With CI=true a missing tool is a failure,
                 elsewhere its step is skipped and says so.
  rules          which test keeps which rule of the commit protocol; fails on a rule that no
                 test names and on a test that names no rule (tc6_.. keeps TC6, tc4_tc5_.. both)
  bless          rewrite expected output: macro expansions, compile-fail messages, the lists
                 of features and doubled crates. Read the difference before you commit it.
  codegen        regenerate the code of the messages and stubs from protocol/proto; it is checked
                 in, and a test compares
  budgets        what annotations cost: check and build times, sizes, run times, beside plain code;
                 fails where a budget is missed. Takes minutes and a quiet machine
  ide            what an editor shows of annotated code: builds rust-analyzer's crates, which takes
                 long, and checks definition, rename, hover and completion. Needs the sources of the
                 standard library; where the toolchain has none, rustup fetches them into a copy
  advisories     known vulnerabilities in what we depend on (fetches the advisory database,
                 so it is no step of `test`)
  help           this text

Steps of `test`, in order:
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<(), String> {
    if args.iter().any(|arg| matches!(*arg, "-h" | "--help")) {
        print!("{}", help());
        return Ok(());
    }
    match args {
        [] | ["help"] => {
            print!("{}", help());
            Ok(())
        }
        ["test", steps @ ..] => check::run(&Workspace::find()?, steps),
        ["rules"] => rules::run(&Workspace::find()?),
        ["bless"] => bless::run(&Workspace::find()?),
        ["codegen"] => codegen::run(&Workspace::find()?),
        ["budgets"] => budgets::run(&Workspace::find()?),
        ["ide"] => ide::run(&Workspace::find()?),
        ["advisories"] => tools::advisories(&Workspace::find()?),
        [
            command @ ("rules" | "bless" | "codegen" | "budgets" | "ide" | "advisories" | "help"),
            extra,
            ..,
        ] => Err(format!("`{command}` takes no arguments, found `{extra}`")),
        [unknown, ..] => Err(format!(
            "no command `{unknown}`: use test, rules, bless, codegen, budgets, ide, advisories or help"
        )),
    }
}

fn help() -> String {
    let mut text = HELP.to_owned();
    for step in check::STEPS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:<9} {}", step.name, step.about);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_step() {
        let help = help();
        for step in check::STEPS {
            assert!(
                help.contains(&format!("  {} ", step.name)),
                "{} is not in {help}",
                step.name
            );
        }
    }

    #[test]
    fn a_mistyped_command_lists_the_commands() {
        let message = run(&["tests"]).unwrap_err();
        assert_eq!(
            message,
            "no command `tests`: use test, rules, bless, codegen, budgets, ide, advisories or help"
        );
    }

    #[test]
    fn an_argument_too_many_is_refused() {
        assert_eq!(
            run(&["rules", "tc6"]).unwrap_err(),
            "`rules` takes no arguments, found `tc6`"
        );
    }
}
