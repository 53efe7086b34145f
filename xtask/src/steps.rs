//! Runs steps one after another, whatever becomes of them, and ends with the table.

use std::{
    fmt::Write as _,
    process::Command,
    time::{Duration, Instant},
};

use crate::workspace::Workspace;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Workspace) -> Verdict,
}

/// How a step ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Failed(String),
    Ok,
    /// Not run; outside CI that is no failure, but nobody shall miss it.
    Skipped(String),
}

struct Row {
    name: &'static str,
    took: Duration,
    verdict: Verdict,
}

/// Runs all `steps`; an error when one of them failed.
pub(crate) fn run_all(workspace: &Workspace, steps: &[&Step]) -> Result<(), String> {
    let mut rows = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        println!(
            "\n==> [{}/{}] {}: {}",
            index + 1,
            steps.len(),
            step.name,
            step.about
        );
        let start = Instant::now();
        let verdict = (step.run)(workspace);
        rows.push(Row {
            name: step.name,
            took: start.elapsed(),
            verdict,
        });
    }
    println!("\n{}", table(&rows));
    let failed: Vec<_> = rows
        .iter()
        .filter(|row| matches!(row.verdict, Verdict::Failed(_)))
        .map(|row| row.name)
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    }
}

/// Runs one command; its output goes through.
pub(crate) fn execute(command: &mut Command) -> Verdict {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Verdict::Ok,
        Ok(status) => Verdict::Failed(status.to_string()),
        Err(error) => Verdict::Failed(format!("{program} does not start: {error}")),
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<12} {:>8}  verdict\n", "step", "seconds");
    let mut total = Duration::ZERO;
    for row in rows {
        total += row.took;
        let verdict = match &row.verdict {
            Verdict::Failed(why) => format!("FAILED ({why})"),
            Verdict::Ok => "ok".to_owned(),
            Verdict::Skipped(why) => format!("SKIPPED ({why})"),
        };
        line(&mut text, row.name, row.took, &verdict);
    }
    let failed = rows
        .iter()
        .filter(|row| matches!(row.verdict, Verdict::Failed(_)))
        .count();
    let verdict = if failed == 0 {
        "ok".to_owned()
    } else {
        format!("{failed} FAILED")
    };
    line(&mut text, "total", total, &verdict);
    text
}

fn line(text: &mut String, name: &str, took: Duration, verdict: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{name:<12} {:>8.1}  {verdict}", took.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_step_seconds_and_verdict() {
        let rows = [
            Row {
                name: "fmt",
                took: Duration::from_millis(1_250),
                verdict: Verdict::Ok,
            },
            Row {
                name: "deny",
                took: Duration::ZERO,
                verdict: Verdict::Skipped("no cargo-deny".into()),
            },
            Row {
                name: "test",
                took: Duration::from_secs(90),
                verdict: Verdict::Failed("exit status: 101".into()),
            },
        ];
        let expected = "\
step          seconds  verdict
fmt               1.2  ok
deny              0.0  SKIPPED (no cargo-deny)
test             90.0  FAILED (exit status: 101)
total            91.2  1 FAILED
";
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn a_failed_step_stops_no_later_step_and_fails_the_whole() {
        let workspace = Workspace {
            root: "/".into(),
            target: "/".into(),
        };
        let bad = Step {
            name: "bad",
            about: "fails",
            run: |_| Verdict::Failed("no".into()),
        };
        let good = Step {
            name: "good",
            about: "passes",
            run: |_| Verdict::Ok,
        };
        assert_eq!(
            run_all(&workspace, &[&bad, &good, &bad]),
            Err("failed: bad, bad".into())
        );
        assert_eq!(run_all(&workspace, &[&good]), Ok(()));
    }

    #[test]
    fn a_command_that_cannot_start_fails_with_its_name() {
        let verdict = execute(&mut Command::new("unanimous-no-such-program"));
        let Verdict::Failed(why) = verdict else {
            panic!("{verdict:?}")
        };
        assert!(
            why.starts_with("unanimous-no-such-program does not start"),
            "{why}"
        );
    }
}
