//! `cargo xtask browser`: the official browser SDK, in Chromium, against every adapter.

use std::{fs, path::Path};

use programs::Node;
use serde_json::Value;

use crate::{
    process,
    tests_run::{Counts, TestsRun},
    workspace::{Workspace, array, text_of},
};

/// Runs the tests on one adapter or on all.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let adapter = match arguments {
        [] => None,
        ["--adapter", adapter] => Some(*adapter),
        _ => return Err("usage: cargo xtask browser [--adapter NAME]".to_owned()),
    };
    let mut tests = TestsRun::default();
    let outcome = play(workspace, adapter, &mut tests);
    println!("{}", tests.closing_lines(&[PACKAGE]));
    outcome
}

/// Runs the tests on all adapters, and counts them among the others.
pub(crate) fn check(workspace: &Workspace, tests: &mut TestsRun) -> Result<(), String> {
    let outcome = play(workspace, None, tests);
    if outcome.is_err() {
        tests.is_in_part();
    }
    outcome
}

fn play(workspace: &Workspace, adapter: Option<&str>, tests: &mut TestsRun) -> Result<(), String> {
    let root = workspace.root();
    let folder = root.join("tests/browser");
    process::show(process::cargo(root).args(["build", "--locked", "--package", PACKAGE]))?;
    let node = Node::ready()?;
    process::show(&mut node.program_of(&folder, "tsc")?)?;
    // What an earlier run has left.
    let results = root.join("target/browser");
    remove(&results)?;

    let mut playwright = node.program_of(&folder, "playwright")?;
    playwright.arg("test");
    playwright.args(adapter.map(|adapter| format!("--project={adapter}")));
    playwright.env("SITE", root.join("target/debug/site"));
    playwright.env("CHROMIUM", programs::chromium()?);
    let outcome = process::show(&mut playwright).map_err(|problem| {
        format!("{problem}\ntraces and screenshots are in target/browser/results")
    });
    let report = results.join("report.json");
    match fs::read_to_string(&report) {
        Ok(report) => count(&report, tests)?,
        // Without a report the tests have not been run, and that has been said.
        Err(_) if outcome.is_err() => {}
        Err(error) => return Err(format!("{}: {error}", report.display())),
    }
    outcome
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Reads Playwright's report.
fn count(report: &str, tests: &mut TestsRun) -> Result<(), String> {
    let report: Value = serde_json::from_str(report)
        .map_err(|error| format!("Playwright's report is no JSON: {error}"))?;
    let figure = |name: &str| {
        let figure = report.get("stats").and_then(|stats| stats.get(name));
        figure.and_then(Value::as_u64).unwrap_or_default()
    };
    let counts = Counts {
        passed: figure("expected"),
        // A test that did not pass at once is not passed.
        failed: figure("unexpected") + figure("flaky"),
        skipped: figure("skipped"),
    };
    let mut names = Vec::new();
    for suite in array(&report, "suites") {
        names_of(suite, &mut names);
    }
    tests.add(PACKAGE, counts, names);
    Ok(())
}

/// The tests of a suite that were run: of a file, or of a group in it.
fn names_of(suite: &Value, names: &mut Vec<String>) {
    for spec in array(suite, "specs") {
        if array(spec, "tests").all(|test| text_of(test, "status") != "skipped") {
            names.push(text_of(spec, "title").to_owned());
        }
    }
    for suite in array(suite, "suites") {
        names_of(suite, names);
    }
}

/// Whose program the sites are, and under which name the tests are counted.
const PACKAGE: &str = "browser";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_counted_and_names_what_was_run() {
        let report = r#"{
            "suites": [{
                "specs": [{ "title": "it holds", "tests": [{ "status": "expected" }] }],
                "suites": [{ "specs": [
                    { "title": "it breaks", "tests": [{ "status": "unexpected" }] },
                    { "title": "it sleeps", "tests": [{ "status": "skipped" }] }
                ] }]
            }],
            "stats": { "expected": 1, "unexpected": 1, "flaky": 1, "skipped": 1 }
        }"#;
        let mut tests = TestsRun::default();
        count(report, &mut tests).unwrap();
        assert_eq!(
            tests.closing_lines(&[PACKAGE]),
            "browser: 1 passed, 2 failed, 1 skipped\n1 passed, 2 failed, 1 skipped"
        );
        assert!(tests.ran("it holds"));
        assert!(tests.ran("it breaks"));
        assert!(!tests.ran("it sleeps"));
    }
}
