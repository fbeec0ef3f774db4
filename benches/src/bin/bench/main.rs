//! `bench`: what the library costs, beside its limits and beside what others do.
//!
//! `cargo xtask bench` starts the servers and calls it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that goes wrong has nothing to say"
)]

mod report;
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

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        [root, ref options @ ..] => measure(Path::new(root), &Options::read(options)),
        [] => panic!("{USAGE}"),
    }
}

/// What there is to measure. Each makes those of its rows that are wanted.
const MEASUREMENTS: [fn(Extent, &Only) -> Vec<Row>; 0] = [];

/// Measures what is asked for, shows it, and fails when a target is missed by more than the noise.
fn measure(root: &Path, options: &Options) -> ExitCode {
    let mut rows: Vec<Row> = Vec::new();
    for measured in MEASUREMENTS {
        let some = measured(options.extent, &options.only);
        report::print(&some);
        rows.extend(some);
    }
    report::keep(&rows, &folder(root));
    if report::all_reached(&rows) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Where the figures are kept, for other programs to read.
fn folder(root: &Path) -> PathBuf {
    root.join("target/bench")
}

/// What the command line asks for.
struct Options {
    extent: Extent,
    only: Only,
}

impl Options {
    fn read(mut words: &[&str]) -> Self {
        let mut options = Self {
            extent: Extent::Whole,
            only: Only::default(),
        };
        loop {
            words = match *words {
                [] => return options,
                ["--quick", ref rest @ ..] => {
                    options.extent = Extent::Quick;
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

const USAGE: &str = "usage: bench <workspace> [--quick] [--only NAME]";
