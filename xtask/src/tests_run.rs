//! The tests that were run: how many, and which, read from the test harness's output.

use std::collections::BTreeSet;

use crate::{process, workspace::Workspace};

/// What the test harness reported so far.
#[derive(Default)]
pub(crate) struct TestsRun {
    passed: u64,
    failed: u64,
    skipped: u64,
    names: BTreeSet<String>,
    broken: bool,
}

impl TestsRun {
    /// Runs the tests of the whole workspace; `which` is Cargo's option for the kind of target.
    pub(crate) fn run(&mut self, workspace: &Workspace, which: &str) -> Result<(), String> {
        let arguments = [
            "test",
            "--locked",
            "--workspace",
            "--all-features",
            "--no-fail-fast",
        ];
        let mut command = process::cargo(workspace.root());
        command.args(arguments).arg(which);
        let outcome = process::watch(&mut command, |line| self.read(line));
        self.broken |= outcome.is_err();
        outcome
    }

    /// Whether every run so far went through, so that a test that is not among the names did not
    /// run.
    pub(crate) fn is_complete(&self) -> bool {
        !self.broken && !self.names.is_empty()
    }

    /// Whether a function of this name ran as a test.
    pub(crate) fn ran(&self, function: &str) -> bool {
        self.names.contains(function)
    }

    /// The count of all tests, alone on a line.
    pub(crate) fn closing_line(&self) -> String {
        format!(
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }

    fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.count(result);
        } else if let Some((name, verdict)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
            && !verdict.starts_with("ignored")
        {
            let path = name.strip_suffix(" - should panic").unwrap_or(name);
            let function = path.rsplit("::").next().unwrap_or(path);
            self.names.insert(function.to_owned());
        }
    }

    fn count(&mut self, result: &str) {
        let figures = result
            .split_once(". ")
            .map_or(result, |(_, figures)| figures);
        for figure in figures.split("; ") {
            let Some((number, what)) = figure.split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what.trim_end_matches(';') {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_sums_every_harness() {
        let mut tests = TestsRun::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s",
            "noise: 9 passed; 9 failed",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            tests.read(line);
        }
        assert_eq!(tests.closing_line(), "15 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn an_ignored_test_has_not_run() {
        let mut tests = TestsRun::default();
        tests.read("test store::a_row_is_kept ... ok");
        tests.read("test store::a_row_is_lost ... ignored, needs a server");
        tests.read("test ids::too_long - should panic ... ok");
        assert!(tests.ran("a_row_is_kept"));
        assert!(tests.ran("too_long"));
        assert!(!tests.ran("a_row_is_lost"));
    }
}
