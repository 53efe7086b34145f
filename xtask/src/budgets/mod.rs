//! `cargo xtask budgets`: what annotations cost, beside plain functions and `#[tracing::instrument]`.
//!
//! Packages of many generated items are checked and built in a folder below the build folder; a
//! program that calls annotated functions is built with optimisation and run. What is allocated and
//! how large futures are is exact and stands in tests: `tests/tests/budgets` and
//! `tests/expand/future_sizes.rs`.

mod measure;
mod sources;

use std::fmt::Write as _;
use std::time::Duration;

use measure::{Built, Package};
use sources::Kind;

use crate::workspace::Workspace;

/// Functions, or actions with their two partners, in one generated package.
const ITEMS: u32 = 1_000;
/// Each time is the best of so many.
const ROUNDS: usize = 3;
/// What `#[tracing::instrument]` took in each function on the machine, and at the hour, that the
/// budgets were set at. One machine checks a third faster or slower from hour to hour, so budgets
/// hold at the speed at which the same run's `#[tracing::instrument]` would take so long.
const INSTRUMENT_MS: f64 = 5.6;
/// `cargo check` of one transactional function more than of a plain one.
const FUNCTION_MS_MAX: f64 = 4.0;
/// The same of one action with its two partners.
const ACTION_MS_MAX: f64 = 16.0;

/// Measures and prints; fails where a budget of `cargo check` is missed.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let folder = workspace.target.join("budgets");
    let packages = Kind::ALL.map(|kind| Package::write(workspace, &folder, kind, ITEMS));
    let packages = packages.into_iter().collect::<Result<Vec<_>, _>>()?;
    println!("the crates that the packages depend on are built first");
    measure::dependencies(workspace, &folder, &["check"])?;
    // One after the other in each round, so that a busy minute does not hit one kind alone.
    let mut checks = vec![Duration::MAX; packages.len()];
    for _ in 0..ROUNDS {
        for (package, best) in packages.iter().zip(&mut checks) {
            *best = package.check()?.min(*best);
        }
    }
    for (kind, check) in Kind::ALL.into_iter().zip(&checks) {
        println!("check {:<36} {:>6.2} s", kind.name(), check.as_secs_f64());
    }
    measure::dependencies(workspace, &folder, &["build"])?;
    measure::dependencies(workspace, &folder, &["build", "--release"])?;
    let mut built = Vec::new();
    for package in &packages {
        built.push([package.build(false)?, package.build(true)?]);
    }
    let rows: Vec<_> = Kind::ALL.into_iter().zip(checks).zip(built).collect();
    print!("{}", table(&rows));
    measure::calls(workspace, &folder)?;
    within(&rows)
}

type Row = ((Kind, Duration), [Built; 2]);

fn table(rows: &[Row]) -> String {
    let mut table = format!(
        "\n{ITEMS} items, processor time, best of {ROUNDS} checks, one build each\n\n\
         | items | check | over plain, each | at the budgets' speed | debug build | rlib | release build | rlib |\n\
         |---|---|---|---|---|---|---|---|\n"
    );
    for ((kind, check), [debug, release]) in rows {
        let shown = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms"));
        let (over, scaled) = (shown(over_plain(rows, *kind)), shown(scaled(rows, *kind)));
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {:.1} s | {over} | {scaled} | {:.1} s | {:.0} MB | {:.1} s | {:.0} MB |",
            kind.name(),
            check.as_secs_f64(),
            debug.time.as_secs_f64(),
            debug.megabytes(),
            release.time.as_secs_f64(),
            release.megabytes(),
        );
    }
    table
}

/// Milliseconds of check time that one item costs beyond the plain one of its kind.
fn over_plain(rows: &[Row], kind: Kind) -> Option<f64> {
    let of = |wanted: Kind| rows.iter().find(|((kind, _), _)| *kind == wanted);
    let ((_, check), _) = of(kind)?;
    let ((_, plain), _) = of(kind.plain()?)?;
    Some((check.as_secs_f64() - plain.as_secs_f64()) * 1_000.0 / f64::from(ITEMS))
}

/// The same at the speed of the machine that the budgets were set on.
fn scaled(rows: &[Row], kind: Kind) -> Option<f64> {
    let instrument = over_plain(rows, Kind::Instrumented)?;
    over_plain(rows, kind).map(|ms| ms * INSTRUMENT_MS / instrument)
}

fn within(rows: &[Row]) -> Result<(), String> {
    let mut missed = String::new();
    for (kind, max) in [
        (Kind::Transactional, FUNCTION_MS_MAX),
        (Kind::Action, ACTION_MS_MAX),
        (Kind::FunctionAction, ACTION_MS_MAX),
    ] {
        let cost = scaled(rows, kind).ok_or("a row is missing")?;
        if cost > max {
            let _ = write!(missed, "{}: {cost:.1} ms, more than {max}; ", kind.name());
        }
    }
    if missed.is_empty() {
        Ok(())
    } else {
        Err(missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ms: [u64; 7]) -> Vec<Row> {
        let row = |(kind, ms)| {
            let built = || Built {
                time: Duration::from_secs(1),
                bytes: 2_000_000,
            };
            ((kind, Duration::from_millis(ms)), [built(), built()])
        };
        Kind::ALL.into_iter().zip(ms).map(row).collect()
    }

    #[test]
    fn a_budget_is_what_an_item_costs_beyond_the_plain_one() {
        let rows = rows([1_000, 6_600, 4_900, 3_000, 18_900, 2_000, 17_800]);
        assert_eq!(within(&rows), Ok(()));
        let table = table(&rows);
        assert!(table.contains("| 3.9 ms |"), "{table}");
        assert!(table.contains("| 15.9 ms |"), "{table}");
        assert!(table.contains("| 15.8 ms |"), "{table}");
        assert!(table.contains("| 2 MB |"), "{table}");
    }

    #[test]
    fn a_budget_holds_at_the_speed_that_it_was_set_at() {
        let slow = rows([2_000, 13_200, 9_800, 6_000, 37_800, 4_000, 35_600]);
        assert_eq!(within(&slow), Ok(()));
        let table = table(&slow);
        assert!(table.contains("| 31.8 ms | 15.9 ms |"), "{table}");
    }

    #[test]
    fn a_missed_budget_is_told_with_its_figure() {
        let missed =
            within(&rows([1_000, 6_600, 6_000, 3_000, 20_000, 2_000, 20_000])).unwrap_err();
        assert!(missed.contains("5.0 ms, more than 4"), "{missed}");
        assert!(missed.contains("17.0 ms, more than 16"), "{missed}");
        assert!(missed.contains("18.0 ms, more than 16"), "{missed}");
    }
}
