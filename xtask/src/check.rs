//! `cargo xtask test`: the steps, in order.
//!
//! Every cargo command names the whole workspace with all features, never one package: a smaller
//! selection unifies features differently and rebuilds what the step before has just built.

use std::fs;

use crate::{
    package, rules,
    steps::{self, Step, Verdict},
    tools,
    workspace::Workspace,
};

/// Cheap and telling first; what needs the longest builds last.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "tools",
        about: "what the steps need, installed where missing",
        run: tools::install,
    },
    Step {
        name: "fmt",
        about: "rustfmt leaves nothing to change",
        run: fmt,
    },
    Step {
        name: "clippy",
        about: "all targets and features, warnings denied",
        run: clippy,
    },
    Step {
        name: "test",
        about: "all tests but the doc tests",
        run: test,
    },
    Step {
        name: "doctest",
        about: "the examples in the documentation",
        run: doctest,
    },
    Step {
        name: "doc",
        about: "the documentation builds, warnings denied",
        run: doc,
    },
    Step {
        name: "rules",
        about: "every rule of the commit protocol has a test",
        run: check_rules,
    },
    Step {
        name: "deny",
        about: "bans, licences and sources of dependencies",
        run: tools::deny,
    },
    Step {
        name: "package",
        about: "what would be published builds by itself",
        run: package::run,
    },
    Step {
        name: "bench",
        about: "the benchmarks compile",
        run: bench,
    },
];

/// Runs the named steps, all of them when none is named.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<(), String> {
    steps::run_all(workspace, &select(names)?)
}

fn select(names: &[&str]) -> Result<Vec<&'static Step>, String> {
    if let Some(unknown) = names
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step `{unknown}`: use {}", known.join(", ")));
    }
    Ok(STEPS
        .iter()
        .filter(|step| names.is_empty() || names.contains(&step.name))
        .collect())
}

fn fmt(workspace: &Workspace) -> Verdict {
    steps::execute(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

fn clippy(workspace: &Workspace) -> Verdict {
    steps::execute(&mut workspace.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))
}

fn test(workspace: &Workspace) -> Verdict {
    steps::execute(&mut workspace.cargo(&[
        "test",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
        "--lib",
        "--bins",
        "--tests",
    ]))
}

fn doctest(workspace: &Workspace) -> Verdict {
    steps::execute(&mut workspace.cargo(&[
        "test",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
        "--doc",
    ]))
}

fn doc(workspace: &Workspace) -> Verdict {
    let mut command = workspace.cargo(&["doc", "--workspace", "--all-features", "--no-deps"]);
    steps::execute(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn check_rules(workspace: &Workspace) -> Verdict {
    rules::run(workspace).map_or_else(Verdict::Failed, |()| Verdict::Ok)
}

fn bench(workspace: &Workspace) -> Verdict {
    // Cargo takes "all benchmarks" for a mistake when there is none.
    let has_benches = match workspace.members() {
        Ok(members) => members.iter().any(|member| {
            fs::read_dir(member.folder.join("benches"))
                .is_ok_and(|mut files| files.next().is_some())
        }),
        Err(why) => return Verdict::Failed(why),
    };
    if !has_benches {
        println!("there is no benches folder");
        return Verdict::Ok;
    }
    // In the profile of the tests: whether they compile does not depend on optimisation, and
    // another profile would build every dependency once more.
    steps::execute(&mut workspace.cargo(&[
        "bench",
        "--workspace",
        "--all-features",
        "--no-run",
        "--profile",
        "dev",
        "--bench",
        "*",
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_selects_every_step() {
        assert_eq!(select(&[]).unwrap().len(), STEPS.len());
    }

    #[test]
    fn named_steps_run_in_the_order_of_the_list() {
        let names: Vec<_> = select(&["rules", "fmt"])
            .unwrap()
            .iter()
            .map(|step| step.name)
            .collect();
        assert_eq!(names, ["fmt", "rules"]);
    }

    #[test]
    fn an_unknown_step_lists_the_steps() {
        assert_eq!(
            select(&["fmt", "lint"]).unwrap_err(),
            "no step `lint`: use tools, fmt, clippy, test, doctest, doc, rules, deny, package, bench"
        );
    }
}
