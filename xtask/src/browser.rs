//! `cargo xtask browser`: the official browser SDK, in Chromium, against every adapter.

use std::{fs, path::Path};

use programs::Node;

use crate::{playwright, process, tests_run::TestsRun, workspace::Workspace};

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
    play(workspace, None, tests)
}

fn play(workspace: &Workspace, adapter: Option<&str>, tests: &mut TestsRun) -> Result<(), String> {
    let root = workspace.root();
    let folder = root.join("tests/browser");
    process::show(process::cargo(root).args(["build", "--locked", "--package", PACKAGE]))?;
    let node = Node::ready()?;
    process::show(&mut node.program_of(&folder, "tsc")?)?;
    // What an earlier run has left, where Playwright's configuration puts it wherever Cargo builds.
    let results = root.join("target/browser");
    remove(&results)?;

    let mut playwright = node.program_of(&folder, "playwright")?;
    playwright.arg("test");
    playwright.args(adapter.map(|adapter| format!("--project={adapter}")));
    playwright.env("SITE", workspace.target().join("debug/site"));
    playwright.env("CHROMIUM", programs::chromium()?);
    let outcome = process::show(&mut playwright).map_err(|problem| {
        format!("{problem}\ntraces and screenshots are in target/browser/results")
    });
    playwright::judge(outcome, &results.join("report.json"), PACKAGE, tests)
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Whose program the sites are, and under which name the tests are counted.
const PACKAGE: &str = "browser";
