//! Rows that a process of its own measures.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bench::{extent::Extent, row::Row};

/// Runs a program that writes its rows to its standard output.
pub(crate) fn rows(program: &Path, subject: &str, extent: Extent) -> Vec<Row> {
    let output = Command::new(program)
        .args([subject, extent.either(WHOLE, QUICK)])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let name = program.display();
    assert!(
        output.status.success(),
        "{name} {subject}: {}",
        output.status
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The program that runs.
pub(crate) fn this_program() -> PathBuf {
    env::current_exe().unwrap()
}

/// A program that is built with it.
pub(crate) fn beside(name: &str) -> PathBuf {
    let this = this_program();
    this.parent().unwrap_or(Path::new("")).join(name)
}

/// How much to measure, as a process of its own is told.
pub(crate) fn extent_of(word: &str) -> Extent {
    match word {
        WHOLE => Extent::Whole,
        QUICK => Extent::Quick,
        _ => panic!("{word}: neither `{WHOLE}` nor `{QUICK}`"),
    }
}

const WHOLE: &str = "whole";
const QUICK: &str = "quick";
