//! What a whole run writes into the book.

mod chart;
mod provenance;
mod readme;
mod sizing;
mod table;

use std::{fs, path::Path};

use bench::row::Row;
pub(crate) use provenance::Provenance;

/// Writes everything that `docs/src/performance.md` includes, and the figures of the README.
pub(crate) fn write(rows: &[Row], provenance: &Provenance, root: &Path) {
    let folder = root.join("docs/performance");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in [
        ("table.md", table::of(rows, provenance)),
        ("rows.md", table::words_of(rows)),
        ("ratios.svg", chart::of(rows)),
        ("sizing.md", sizing::of_a_service(rows)),
        ("settings.md", sizing::of_settings(rows)),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let readme = root.join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    fs::write(&readme, readme::with_figures(&text, rows)).unwrap();
}
