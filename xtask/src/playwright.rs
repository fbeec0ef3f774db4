//! What Playwright, which drives the browser, says of its tests.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    tests_run::{Counts, TestsRun},
    workspace::{array, text_of},
};

/// Counts the tests of a report among the others, under the name of a package, and says how the run
/// ended.
pub(crate) fn judge(
    outcome: Result<(), String>,
    report: &Path,
    package: &str,
    tests: &mut TestsRun,
) -> Result<(), String> {
    if outcome.is_err() {
        tests.is_in_part();
    }
    let counted = match fs::read_to_string(report) {
        Ok(report) => count(&report, package, tests),
        // Without a report the tests have not been run, and that has been said.
        Err(_) if outcome.is_err() => Ok(()),
        Err(error) => Err(format!("{}: {error}", report.display())),
    };
    match (outcome, counted) {
        (Err(failure), Err(problem)) => Err(format!("{failure}\n{problem}")),
        (outcome, counted) => outcome.and(counted),
    }
}

/// Reads Playwright's report.
fn count(report: &str, package: &str, tests: &mut TestsRun) -> Result<(), String> {
    let report: Value = serde_json::from_str(report)
        .map_err(|error| format!("Playwright's report is no JSON: {error}"))?;
    let figure = |name: &str| {
        let figure = report.get("stats").and_then(|stats| stats.get(name));
        figure
            .and_then(Value::as_u64)
            .ok_or_else(|| format!("Playwright's report does not say how many are {name}"))
    };
    let counts = Counts {
        passed: figure("expected")?,
        // A test that did not pass at once is not passed.
        failed: figure("unexpected")? + figure("flaky")?,
        skipped: figure("skipped")?,
    };
    let mut names = Vec::new();
    for suite in array(&report, "suites") {
        names_of(suite, &mut names);
    }
    tests.add(package, counts, names);
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

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = "browser";

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
        count(report, PACKAGE, &mut tests).unwrap();
        assert_eq!(
            tests.closing_lines(&[PACKAGE]),
            "browser: 1 passed, 2 failed, 1 skipped\n1 passed, 2 failed, 1 skipped"
        );
        assert!(tests.ran("it holds"));
        assert!(tests.ran("it breaks"));
        assert!(!tests.ran("it sleeps"));
    }

    #[test]
    fn an_unreadable_report_does_not_hide_the_failure() {
        // A file that is there, and no report.
        let report = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let mut tests = TestsRun::default();
        let outcome = judge(Err("it broke".to_owned()), &report, PACKAGE, &mut tests);
        let problem = outcome.unwrap_err();
        assert!(problem.starts_with("it broke\n"), "{problem}");
        assert!(problem.contains("no JSON"), "{problem}");
        assert!(judge(Ok(()), &report, PACKAGE, &mut tests).is_err());
    }

    #[test]
    fn a_report_without_counts_is_no_success() {
        let mut tests = TestsRun::default();
        for report in [r#"{ "stats": { "expected": 17 } }"#, "{}", "<html>"] {
            assert!(count(report, PACKAGE, &mut tests).is_err());
        }
    }
}
