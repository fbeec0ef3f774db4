//! `cargo xtask web`: the page on the official browser SDK, with an example server behind it; and its
//! tests in a real browser.

mod demo;

use std::{
    fs,
    path::{Path, PathBuf},
};

use demo::Demo;
use programs::Node;
use serde_json::Value;

use crate::{process, tests_run::Counts, workspace::Workspace};

/// The frameworks that have an example server.
pub(crate) const FRAMEWORKS: [&str; 4] = ["axum", "actix", "rocket", "warp"];

const USAGE: &str = "usage: cargo xtask web [--framework axum|actix|rocket|warp] [--port N]\n       \
                     cargo xtask web --test [--framework axum|actix|rocket|warp]";
const PORT: u16 = 4000;

/// Shows the page until it is interrupted, or tests it.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let (mut framework, mut port, mut is_test) = (None, None, false);
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        match *option {
            "--test" => is_test = true,
            "--framework" => framework = Some(framework_named(rest.next())?),
            "--port" => port = Some(port_in(rest.next())?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    match (is_test, framework, port) {
        (false, framework, port) => {
            show(workspace, framework.unwrap_or("axum"), port.unwrap_or(PORT))
        }
        (true, framework, None) => {
            let all = framework.is_none().then_some(&FRAMEWORKS[..]);
            let counts = test(workspace, all.unwrap_or(framework.as_slice()))?;
            println!("{counts}");
            match counts.failed {
                0 => Ok(()),
                failed => Err(format!("{failed} failed")),
            }
        }
        (true, _, Some(_)) => Err(USAGE.to_owned()),
    }
}

fn show(workspace: &Workspace, framework: &str, port: u16) -> Result<(), String> {
    let node = Node::ready()?;
    let folder = empty_folder(workspace, &format!("at-{port}"))?;
    let demo = Demo::start(workspace, &node, framework, port, &folder, None)?;
    println!("\nopen {}\nctrl-c ends it", demo.site());
    Err(format!("{} has ended", demo.first_to_end()))
}

/// Drives the page in Chromium, on each of the frameworks.
pub(crate) fn test(workspace: &Workspace, frameworks: &[&str]) -> Result<Counts, String> {
    let node = Node::ready()?;
    let chromium = programs::chromium()?;
    let page = page(workspace);
    process::show(node.program_of(&page, "tsc")?.arg("--noEmit"))?;
    let mut demos = Vec::new();
    for framework in frameworks {
        let folder = empty_folder(workspace, framework)?;
        let database = format!("sqlite://{}", folder.join("sessions.sqlite").display());
        let port = servers::free_port()?;
        let demo = Demo::start(workspace, &node, framework, port, &folder, Some(&database))?;
        demos.push((*framework, demo));
    }
    let sites: Value = demos
        .iter()
        .map(|(framework, demo)| ((*framework).to_owned(), Value::from(demo.site())))
        .collect();
    let results = empty_folder(workspace, "results")?;
    let mut playwright = node.program_of(&page, "playwright")?;
    playwright.arg("test").env("SITES", sites.to_string());
    playwright
        .env("CHROMIUM", chromium)
        .env("RESULTS", &results);
    let outcome = process::show(&mut playwright);
    let counts = counts_in(&results.join("report.json"))?;
    match outcome {
        Err(problem) if counts.failed == 0 => Err(problem),
        _ => Ok(counts),
    }
}

/// What Playwright wrote down.
fn counts_in(report: &Path) -> Result<Counts, String> {
    let problem = |error: &dyn std::error::Error| format!("{}: {error}", report.display());
    let text = fs::read_to_string(report).map_err(|error| problem(&error))?;
    let report = serde_json::from_str(&text).map_err(|error| problem(&error))?;
    counts(&report).ok_or_else(|| format!("Playwright counted nothing: {text}"))
}

fn counts(report: &Value) -> Option<Counts> {
    let stats = report.get("stats")?;
    let count = |name| stats.get(name)?.as_u64();
    Some(Counts {
        passed: count("expected")?,
        // One that passes at the second attempt has failed, too.
        failed: count("unexpected")? + count("flaky")?,
        skipped: count("skipped")?,
    })
}

/// A folder below the target folder, without what an earlier run has left there.
fn empty_folder(workspace: &Workspace, name: &str) -> Result<PathBuf, String> {
    let folder = workspace.target().join("web").join(name);
    let empty = || {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)
    };
    empty().map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn page(workspace: &Workspace) -> PathBuf {
    workspace.root().join("examples/web")
}

fn framework_named(name: Option<&&str>) -> Result<&'static str, String> {
    let found = FRAMEWORKS.into_iter().find(|known| Some(known) == name);
    found.ok_or_else(|| USAGE.to_owned())
}

fn port_in(text: Option<&&str>) -> Result<u16, String> {
    let port = text.and_then(|text| text.parse().ok());
    port.ok_or_else(|| USAGE.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_flaky_has_failed() {
        let stats = json!({ "expected": 17, "unexpected": 2, "flaky": 1, "skipped": 3 });
        let counts = counts(&json!({ "stats": stats })).unwrap();
        assert_eq!(counts.to_string(), "17 passed, 3 failed, 3 skipped");
    }

    #[test]
    fn a_report_without_counts_is_no_success() {
        assert!(counts(&json!({ "stats": { "expected": 17 } })).is_none());
        assert!(counts(&json!({ "errors": [] })).is_none());
    }
}
