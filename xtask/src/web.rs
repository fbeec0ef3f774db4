//! `cargo xtask web`: the page on the official browser SDK, with an example server behind it; and its
//! tests in a real browser.

mod demo;

use std::{fs, net::TcpListener, path::PathBuf};

use demo::Demo;
use programs::Node;
use serde_json::Value;

use crate::{playwright, process, tests_run::TestsRun, workspace::Workspace};

/// The frameworks that have an example server.
pub(crate) const FRAMEWORKS: [&str; 4] = ["axum", "actix", "rocket", "warp"];

const USAGE: &str = "usage: cargo xtask web [--framework axum|actix|rocket|warp] [--port N]\n       \
                     cargo xtask web --test [--framework axum|actix|rocket|warp]";
const PORT: u16 = 4000;
/// Under which name the tests are counted.
const PACKAGE: &str = "web";

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
            let mut tests = TestsRun::default();
            let frameworks = all.unwrap_or(framework.as_slice());
            let outcome = test(workspace, frameworks, &mut tests);
            println!("{}", tests.closing_lines(&[PACKAGE]));
            outcome
        }
        (true, _, Some(_)) => Err(USAGE.to_owned()),
    }
}

fn show(workspace: &Workspace, framework: &str, port: u16) -> Result<(), String> {
    // Before anything is built, which may take minutes, and while another page that is shown there
    // still needs its folder.
    TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
        format!("http://127.0.0.1:{port}: {error}; --port chooses another port")
    })?;
    let node = Node::ready()?;
    let folder = empty_folder(workspace, &format!("at-{port}"))?;
    let demo = Demo::start(workspace, &node, framework, port, &folder, None)?;
    println!("\nopen {}\nctrl-c ends it", demo.site());
    Err(format!("{} has ended", demo.first_to_end()))
}

/// Drives the page in Chromium, on each of the frameworks.
pub(crate) fn test(
    workspace: &Workspace,
    frameworks: &[&str],
    tests: &mut TestsRun,
) -> Result<(), String> {
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
    let outcome = process::show(&mut playwright).map_err(|problem| {
        format!(
            "{problem}\ntraces and screenshots are in {}",
            results.display()
        )
    });
    playwright::judge(outcome, &results.join("report.json"), PACKAGE, tests)
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
    // The server has to be told the page's address, so it cannot be left to the system.
    let port = text
        .and_then(|text| text.parse().ok())
        .filter(|&port| port != 0);
    port.ok_or_else(|| USAGE.to_owned())
}
