//! What the three databases hold, before, between and after, as a small table.

use std::fmt::{self, Write as _};

use crate::databases::Snapshot;

/// The columns of each database.
const COLUMNS: [[&str; 3]; 3] = [
    ["free", "held", "sold"],
    ["balance", "held", "revenue"],
    ["pending", "confirmed", "cancelled"],
];

/// One row for each moment.
#[derive(Debug)]
pub(crate) struct Table {
    headings: [String; 3],
    rows: Vec<(&'static str, Snapshot)>,
}

impl Table {
    pub(crate) fn new(sku: &str, user: &str) -> Self {
        let headings = [("storage", sku), ("account", user), ("order", user)]
            .map(|(a, b)| format!("{a}: {b}"));
        Self {
            headings,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, moment: &'static str, snapshot: Snapshot) {
        self.rows.push((moment, snapshot));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = self.headings.iter().zip(COLUMNS).map(|(heading, names)| {
            let width = names.iter().map(|name| width(name)).sum::<usize>();
            format!("{heading:^width$}")
        });
        line(f, "", headings)?;
        let names = COLUMNS.map(|names| names.map(str::to_owned));
        line(f, "", names.iter().zip(COLUMNS).map(cells))?;
        for (moment, snapshot) in &self.rows {
            let values = values(snapshot).map(|values| values.map(|value| value.to_string()));
            line(f, moment, values.iter().zip(COLUMNS).map(cells))?;
        }
        Ok(())
    }
}

/// One line: a label, and what each database has to say.
fn line(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    databases: impl Iterator<Item = String>,
) -> fmt::Result {
    let databases: Vec<_> = databases.collect();
    writeln!(
        f,
        "{}",
        format!("  {label:<9}{}", databases.join("  |")).trim_end()
    )
}

/// The texts of one database below their columns.
fn cells((texts, names): (&[String; 3], [&str; 3])) -> String {
    let mut cells = String::new();
    for (text, name) in texts.iter().zip(names) {
        // Writing to a string cannot fail.
        let _ = write!(cells, "{text:>width$}", width = width(name));
    }
    cells
}

/// The width of a column, with what separates it from the one before.
fn width(name: &str) -> usize {
    name.len() + 2
}

fn values(of: &Snapshot) -> [[i64; 3]; 3] {
    [
        [of.free, of.held, of.sold],
        [of.balance, of.reserved, of.revenue],
        [of.pending, of.confirmed, of.cancelled],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_has_its_columns_and_each_moment_its_row() {
        let mut table = Table::new("lamp", "ann");
        let before = Snapshot {
            free: 10,
            balance: 100,
            ..Snapshot::default()
        };
        table.add("before", before);
        table.add(
            "after",
            Snapshot {
                free: 8,
                sold: 2,
                confirmed: 1,
                ..before
            },
        );
        let expected = [
            "             storage: lamp     |      account: ann        |          order: ann",
            "             free  held  sold  |  balance  held  revenue  |  pending  confirmed  cancelled",
            "  before       10     0     0  |      100     0        0  |        0          0          0",
            "  after         8     0     2  |      100     0        0  |        0          1          0",
        ];
        let text = table.to_string();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected, "\n{text}");
    }
}
