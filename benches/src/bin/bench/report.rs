//! What a run says on the screen and leaves for other programs.

use std::{fs, path::Path};

use bench::row::{Row, Verdict};

use crate::words;

/// Shows rows, a line or two each.
pub(crate) fn print(rows: &[Row]) {
    for row in rows {
        let figures = row.theirs.map_or_else(String::new, |theirs| {
            let [ours, theirs] =
                [row.ours, theirs].map(|spread| words::figure(row.unit, spread.median));
            format!("{ours} beside {theirs}")
        });
        println!(
            "{:<28} {:<11} {:<9} {:<30} {figures}",
            row.name,
            words::verdict(row),
            words::target(row),
            words::judged_in_full(row),
        );
        println!("{:<28} {}", "", in_words(row));
    }
}

/// Whether no row misses its target by more than the noise that was measured. Names those that miss
/// it, by more or by less.
pub(crate) fn all_reached(rows: &[Row]) -> bool {
    let [noisy, missed] = [Verdict::WithinNoise, Verdict::NotReached].map(|verdict| {
        let rows = rows.iter().filter(|row| row.verdict() == verdict);
        rows.map(|row| &*row.name).collect::<Vec<_>>()
    });
    println!("{} rows", rows.len());
    if !noisy.is_empty() {
        println!("missed by less than the noise: {}", noisy.join(", "));
    }
    if !missed.is_empty() {
        println!("not reached: {}", missed.join(", "));
    }
    missed.is_empty()
}

/// Writes the rows to a file.
pub(crate) fn keep(rows: &[Row], folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let text = serde_json::to_string_pretty(rows).unwrap();
    fs::write(folder.join("rows.json"), text).unwrap();
}

fn in_words(row: &Row) -> String {
    match &row.against {
        Some(against) => format!("{}, beside {against}", row.what),
        None => row.what.clone(),
    }
}
