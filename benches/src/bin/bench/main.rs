//! `bench`: what the library costs, beside its limits and beside what others do.
//!
//! `cargo xtask bench` starts the servers and calls it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that goes wrong has nothing to say"
)]

mod adds;
mod blacklist;
mod building;
mod built;
mod checks;
mod child;
mod database;
mod growth;
mod held;
mod mint;
mod pages;
mod processors;
mod refresh;
mod report;
mod requests;
mod scaling;
mod seen;
mod service;
mod verify;
mod words;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use bench::{
    extent::{Extent, Only},
    row::Row,
};
use pages::Provenance;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["blacklist", extent] => {
            let rows = blacklist::measure(child::extent_of(extent));
            println!("{}", serde_json::to_string(&rows).unwrap());
            ExitCode::SUCCESS
        }
        [root, ref options @ ..] => measure(Path::new(root), &Options::read(options)),
        [] => panic!("{USAGE}"),
    }
}

/// What there is to measure. Each makes those of its rows that are wanted.
const MEASUREMENTS: [fn(Extent, &Only) -> Vec<Row>; 14] = [
    verify::of_new_tokens,
    seen::rows,
    verify::of_malformed_tokens,
    mint::rows,
    checks::rows,
    blacklist::rows,
    allocations,
    scaling::rows,
    database::rows,
    refresh::rows,
    refresh::of_logins,
    growth::rows,
    adds::rows,
    requests::rows,
];

/// Measures what is asked for, shows it, and fails when a target is missed by more than the noise.
fn measure(root: &Path, options: &Options) -> ExitCode {
    let Options { extent, only, .. } = options;
    let provenance = options
        .is_for_the_book()
        .then(|| Provenance::now(root, *extent));
    built::whatever_is_needed(only);
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |some: Vec<Row>| {
        report::print(&some);
        rows.extend(some);
    };
    for measured in MEASUREMENTS {
        add(measured(*extent, only));
    }
    add(building::rows(root, *extent, only));
    report::keep(&rows, &folder(root));
    if let Some(provenance) = provenance {
        pages::write(&rows, &provenance, root);
    }
    if report::all_reached(&rows) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Counted by a program whose allocator counts.
fn allocations(extent: Extent, only: &Only) -> Vec<Row> {
    if !only.wants_any("allocations") {
        return Vec::new();
    }
    let mut rows = child::rows(&child::beside("allocations"), "allocations", extent);
    rows.retain(|row| only.wants(&row.name));
    rows
}

/// Where the figures are kept, for other programs to read.
fn folder(root: &Path) -> PathBuf {
    root.join("target/bench")
}

/// What the command line asks for.
struct Options {
    extent: Extent,
    only: Only,
    writes: bool,
}

impl Options {
    /// Whether everything is measured, and well, or somebody wants the book to have it all the same.
    fn is_for_the_book(&self) -> bool {
        self.only.is_everything() && (self.extent == Extent::Whole || self.writes)
    }

    fn read(mut words: &[&str]) -> Self {
        let mut options = Self {
            extent: Extent::Whole,
            only: Only::default(),
            writes: false,
        };
        loop {
            words = match *words {
                [] => return options,
                ["--quick", ref rest @ ..] => {
                    options.extent = Extent::Quick;
                    rest
                }
                ["--write", ref rest @ ..] => {
                    options.writes = true;
                    rest
                }
                ["--only", name, ref rest @ ..] => {
                    options.only = Only::beginning_with(name);
                    rest
                }
                _ => panic!("{USAGE}"),
            }
        }
    }
}

const USAGE: &str = "usage: bench <workspace> [--quick [--write]] [--only NAME]";
