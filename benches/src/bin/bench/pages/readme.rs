//! The README's table of the three checks: what each is measured to cost.

use bench::row::{Row, Unit};

use crate::words;

/// The README with the figures of this run.
pub(crate) fn with_figures(readme: &str, rows: &[Row]) -> String {
    let mut lines: Vec<String> = readme.lines().map(str::to_owned).collect();
    for (policy, name) in [
        ("Stateless", "checks-stateless"),
        ("CheckBlacklist", "checks-blacklist"),
        ("CheckDatabase", "checks-database"),
    ] {
        let row = rows.iter().find(|row| row.name == name).unwrap();
        let figure = words::figure(Unit::Nanoseconds, row.ours.median);
        let beginning = format!("| `Session<{policy}>` |");
        let line = lines.iter_mut().find(|line| line.starts_with(&beginning));
        let line = line.unwrap();
        // `… | no I/O: 21 µs |`
        let (before, _) = line.rsplit_once(": ").unwrap();
        *line = format!("{before}: {figure} |");
    }
    lines.push(String::new());
    lines.join("\n")
}
