//! `cargo xtask bench`: what the library costs beside its limits, on throw-away servers.

use std::process::Command;

use servers::Servers;

use crate::{process, workspace::Workspace};

/// Measures, shows every row with its target, and fails when one is missed by more than the noise.
/// A whole run writes the pages of the book.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    judge(arguments)?;
    let mut build = process::cargo(workspace.root());
    build.args(["build", "--release", "--locked", "--package", "bench"]);
    process::show(&mut build)?;
    let servers = Servers::start_roomy()?;
    // Not through Cargo, which would say of a missed target that a program failed.
    let mut bench = Command::new(workspace.target().join("release/bench"));
    bench.arg(workspace.root()).args(arguments);
    process::show(bench.envs(servers.environment()))
        .map_err(|_| "a target is not reached, or could not be measured".to_owned())
}

/// Measures a little, as it was built for the tests: whether the program works. The rows have no
/// target, which nothing reaches that is not optimised.
pub(crate) fn tried(workspace: &Workspace) -> Result<(), String> {
    let mut command = process::cargo(workspace.root());
    command
        .args([
            "run",
            "--locked",
            "--package",
            "bench",
            "--bin",
            "bench",
            "--",
        ])
        .arg(workspace.root())
        .args(["--quick", "--only", "checks"]);
    process::show(&mut command)
}

fn judge(mut arguments: &[&str]) -> Result<(), String> {
    loop {
        arguments = match arguments {
            [] => return Ok(()),
            ["--quick" | "--write", rest @ ..] | ["--only", _, rest @ ..] => rest,
            _ => {
                return Err("usage: cargo xtask bench [--quick [--write]] [--only NAME]".to_owned());
            }
        };
    }
}
