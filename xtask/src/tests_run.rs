//! The tests that were run: how many, and which, read from the test harness's output.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use servers::Servers;

use crate::{process, workspace::Workspace};

/// What the test harness reported so far.
#[derive(Default)]
pub(crate) struct TestsRun {
    counts: BTreeMap<String, Counts>,
    program: String,
    names: BTreeSet<String>,
    broken: bool,
}

/// How many tests there were.
#[derive(Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl TestsRun {
    /// Runs the tests of the whole workspace; `which` is Cargo's option for the kind of target.
    /// Without servers, the tests that need one fail and say so.
    pub(crate) fn run(
        &mut self,
        workspace: &Workspace,
        which: &str,
        servers: Option<&Servers>,
    ) -> Result<(), String> {
        let arguments = [
            "test",
            "--locked",
            "--workspace",
            "--all-features",
            "--no-fail-fast",
        ];
        let mut command = process::cargo(workspace.root());
        command.args(arguments).arg(which);
        command.envs(servers.into_iter().flat_map(Servers::environment));
        let outcome = process::watch(command, |line| self.read(line));
        self.broken |= outcome.is_err();
        outcome
    }

    /// Adds what another harness has run for a package.
    pub(crate) fn add(&mut self, package: &str, counts: Counts, names: Vec<String>) {
        let sum = self.counts.entry(package.to_owned()).or_default();
        sum.add(counts);
        self.names.extend(names);
    }

    /// Says that another harness has not run all of its tests, or not well.
    pub(crate) fn is_in_part(&mut self) {
        self.broken = true;
    }

    /// Whether every run so far went through, so that a test that is not among the names did not
    /// run.
    pub(crate) fn is_complete(&self) -> bool {
        !self.broken && !self.names.is_empty()
    }

    /// Whether a test of this name ran: a function's, or a title in which `…` stands for what differs
    /// from run to run.
    pub(crate) fn ran(&self, name: &str) -> bool {
        self.names.iter().any(|ran| matches(ran, name))
    }

    /// How many tests there were: a line for each package that has any, and the sum alone on the
    /// last line.
    pub(crate) fn closing_lines(&self, packages: &[&str]) -> String {
        let mut sum = Counts::default();
        let mut by_package = BTreeMap::<&str, Counts>::new();
        for (program, counts) in &self.counts {
            sum.add(*counts);
            let package = package_of(program, packages);
            by_package.entry(package).or_default().add(*counts);
        }
        let mut lines: Vec<String> = by_package
            .iter()
            .filter(|(_, counts)| counts.passed + counts.failed + counts.skipped > 0)
            .map(|(package, counts)| format!("{package}: {counts}"))
            .collect();
        lines.push(sum.to_string());
        lines.join("\n")
    }

    fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            let counts = self.counts.entry(self.program.clone()).or_default();
            counts.add(Counts::read(result));
        } else if let Some(program) = program_of(line) {
            self.program = program;
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
}

/// Whether a name is as a pattern says, in which `…` stands for any text.
fn matches(name: &str, pattern: &str) -> bool {
    let Some((start, mut pattern)) = pattern.split_once('…') else {
        return name == pattern;
    };
    let Some(mut rest) = name.strip_prefix(start) else {
        return false;
    };
    while let Some((part, later)) = pattern.split_once('…') {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        (rest, pattern) = (after, later);
    }
    rest.ends_with(pattern)
}

impl Counts {
    /// Reads the harness's line about a binary.
    fn read(result: &str) -> Self {
        let mut counts = Self::default();
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
                "passed" => counts.passed = number,
                "failed" => counts.failed = number,
                "ignored" => counts.skipped = number,
                _ => {}
            }
        }
        counts
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// The library or program whose tests Cargo goes on to; a package's other tests run after those.
fn program_of(line: &str) -> Option<String> {
    let line = line.trim_start();
    let crate_name = if let Some(name) = line.strip_prefix("Doc-tests ") {
        name
    } else {
        let (_, program) = line.strip_prefix("Running unittests ")?.split_once('(')?;
        let (_, program) = program.rsplit_once('/')?;
        program.rsplit_once('-')?.0
    };
    Some(crate_name.replace('_', "-"))
}

/// The package that a library or program is of: that of the same name, or one whose name it begins
/// with.
fn package_of<'a>(program: &'a str, packages: &[&'a str]) -> &'a str {
    let is_of = |package: &&&str| {
        let rest = program.strip_prefix(**package);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let found = packages.iter().filter(is_of).max_by_key(|name| name.len());
    found.copied().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_sum_every_harness() {
        let mut tests = TestsRun::default();
        for line in [
            "     Running unittests src/lib.rs (target/debug/deps/session_core-0123456789abcdef)",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s",
            "noise: 9 passed; 9 failed",
            "     Running unittests ../a/src/main.rs (target/debug/deps/session_core_a-0123456789abcdef)",
            "     Running tests/it/main.rs (target/debug/deps/it-0123456789abcdef)",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
            "   Doc-tests session_axum",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            tests.read(line);
        }
        assert_eq!(
            tests.closing_lines(&["session", "session-core"]),
            "session: 3 passed, 2 failed, 0 skipped\n\
             session-core: 13 passed, 0 failed, 1 skipped\n\
             16 passed, 2 failed, 1 skipped"
        );
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
        assert!(tests.ran("a_row_is_…"));
        assert!(!tests.ran("a_row_…_lost"));
    }

    #[test]
    fn a_title_matches_whatever_differs_in_it() {
        let name = "calls over axum, 3 at once";
        for pattern in [
            name,
            "calls over …, … at once",
            "… over …",
            "… over …, 3 … once",
        ] {
            assert!(matches(name, pattern), "{pattern}");
        }
        for pattern in [
            "calls",
            "calls …, … twice",
            "… at … over …",
            "calls over …, … in …",
        ] {
            assert!(!matches(name, pattern), "{pattern}");
        }
    }
}
