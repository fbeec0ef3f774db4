//! What each command checks, in order.

use std::process::{Command, ExitCode};

use servers::Servers;

use crate::{
    adapters, advisories, bench, book, browser, process, report::Report, rust_version, scale, sql,
    tables, tests_run::TestsRun, tools, web, workspace::Workspace,
};

/// Every check there is. The last line on standard output counts the tests.
pub(crate) fn test() -> Result<ExitCode, String> {
    let workspace = Workspace::load()?;
    let mut report = Report::new();
    let mut tests = TestsRun::default();
    report.step("formatting", || format(&workspace));
    report.step("lints", || clippy(&workspace));
    report.step("each crate alone, bare and with each feature", || {
        alone(&workspace)
    });
    report.step("API reference", || reference(&workspace));
    let mut servers = None;
    report.step("database servers", || {
        servers = Some(Servers::start()?);
        Ok(())
    });
    report.step("tests", || {
        tests.run(&workspace, "--all-targets", servers.as_ref())
    });
    report.step("tests in documentation", || {
        tests.run(&workspace, "--doc", servers.as_ref())
    });
    report.step("figures, a few", || {
        let servers = servers.as_ref().ok_or("there are no servers")?;
        scale::quick(&workspace, servers)?;
        bench::tried(&workspace)
    });
    drop(servers);
    report.step("examples", || examples(&workspace));
    report.step("the SDK in a browser, on each adapter", || {
        browser::check(&workspace, &mut tests)
    });
    report.step("the example page in a browser, on each framework", || {
        web::test(&workspace, &web::FRAMEWORKS, &mut tests)
    });
    report.step("book", || book::check(&workspace));
    report.step("licences, banned crates, sources", || licences(&workspace));
    report.step("version floors", || advisories::check(workspace.root()));
    report.step("rust-version", || rust_version::check(&workspace));
    report.step("SQL is never put together from text", || {
        sql::check(workspace.root())
    });
    report.step("adapters decide nothing", || {
        adapters::check(workspace.root())
    });
    report.step("attacks and wire cases have their tests", || {
        tables::check(&workspace, &tests)
    });
    let code = report.close();
    let packages: Vec<&str> = workspace
        .members()
        .iter()
        .map(|member| &*member.name)
        .collect();
    println!("{}", tests.closing_lines(&packages));
    Ok(code)
}

/// Formatting and clippy.
pub(crate) fn lint() -> Result<ExitCode, String> {
    let workspace = Workspace::load()?;
    let mut report = Report::new();
    report.step("formatting", || format(&workspace));
    report.step("lints", || clippy(&workspace));
    Ok(report.close())
}

/// The API reference and the book.
pub(crate) fn doc() -> Result<ExitCode, String> {
    let workspace = Workspace::load()?;
    let mut report = Report::new();
    report.step("API reference", || reference(&workspace));
    report.step("book", || book::check(&workspace));
    Ok(report.close())
}

fn format(workspace: &Workspace) -> Result<(), String> {
    process::show(process::cargo(workspace.root()).args(["fmt", "--all", "--check"]))
}

fn clippy(workspace: &Workspace) -> Result<(), String> {
    let arguments = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
    ];
    process::show(
        process::cargo(workspace.root())
            .args(arguments)
            .args(["--", "-D", "warnings"]),
    )
}

/// A crate must build without its features, and with any one of them: the workspace build unites
/// the features of all crates and would hide a missing one.
fn alone(workspace: &Workspace) -> Result<(), String> {
    let mut failed = Vec::new();
    for member in workspace.published() {
        let bare = std::iter::once(None);
        for feature in bare.chain(member.features.iter().map(Some)) {
            let mut command = process::cargo(workspace.root());
            // clippy rather than check, for it turns warnings into errors without another build.
            command.args([
                "clippy",
                "--locked",
                "--no-default-features",
                "--package",
                &member.name,
            ]);
            if let Some(feature) = feature {
                command.args(["--features", feature]);
            }
            if let Err(problem) = process::show(command.args(["--", "-D", "warnings"])) {
                failed.push(problem);
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("\n"))
    }
}

fn reference(workspace: &Workspace) -> Result<(), String> {
    let mut command = process::cargo(workspace.root());
    command.args([
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--all-features",
    ]);
    process::show(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn examples(workspace: &Workspace) -> Result<(), String> {
    let folder = workspace.root().join("examples");
    for member in workspace
        .members()
        .iter()
        .filter(|member| member.folder.starts_with(&folder))
    {
        let mut command = process::cargo(workspace.root());
        process::show(command.args(["build", "--locked", "--package", &member.name]))?;
    }
    Ok(())
}

/// Advisories are asked for only where the database is already on the machine: the command needs
/// no network beyond the registry, and the floors hold without it.
fn licences(workspace: &Workspace) -> Result<(), String> {
    let deny = tools::CARGO_DENY.ready(workspace.root())?;
    let deny = || {
        let mut command = Command::new(&deny);
        command
            .current_dir(workspace.root())
            .args(["--locked", "check"]);
        command
    };
    let quietly = ["--show-stats", "--hide-inclusion-graph"];
    process::show(deny().args(quietly).args(["bans", "licenses", "sources"]))?;
    if tools::advisory_database_is_here() {
        process::show(deny().args(["--disable-fetch", "advisories"]))
    } else {
        println!("no advisory database on this machine: the version floors stand alone");
        Ok(())
    }
}
