//! The table of all rows, and what each of them measures.

use bench::row::{Row, Verdict};

use super::Provenance;
use crate::words;

/// The rows, a line each.
pub(crate) fn of(rows: &[Row], provenance: &Provenance) -> String {
    let mut lines = vec![
        provenance.in_words(),
        String::new(),
        "| row | ours | beside | judged | quartiles | target | |".to_owned(),
        "|---|---:|---:|---:|---:|---:|---|".to_owned(),
    ];
    for row in rows {
        let beside = row.theirs.map_or_else(
            || "–".to_owned(),
            |theirs| words::figure(row.unit, theirs.median),
        );
        let [low, median, high] = words::judged(row);
        let quartiles = if low == high {
            "–".to_owned()
        } else {
            format!("{low} to {high}")
        };
        let verdict = match row.verdict() {
            Verdict::Reached => "reached",
            Verdict::WithinNoise => "missed within the noise",
            Verdict::NotReached => "**not reached**",
            Verdict::Shown => "",
        };
        let ours = words::figure(row.unit, row.ours.median);
        let cells = [ours, beside, median, quartiles, words::target(row)];
        let cells = cells.map(|cell| unbroken(&cell)).join(" | ");
        lines.push(format!("| `{}` | {cells} | {verdict} |", row.name));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A cell that stays on its line.
fn unbroken(cell: &str) -> String {
    cell.replace(' ', "\u{a0}")
}

/// What each row measures, and against what.
pub(crate) fn words_of(rows: &[Row]) -> String {
    let mut lines = Vec::new();
    for row in rows {
        lines.push(match &row.against {
            Some(against) => format!("* `{}`: {}. Beside it: {against}.", row.name, row.what),
            None => format!("* `{}`: {}.", row.name, row.what),
        });
    }
    lines.push(String::new());
    lines.join("\n")
}
