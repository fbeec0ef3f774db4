//! `cargo xtask scale`: what a store costs while it fills up, on throw-away servers.

use servers::Servers;

use crate::{process, workspace::Workspace};

/// Measures up to a million sessions, optimised, and writes the pages of the book.
pub(crate) fn whole(workspace: &Workspace) -> Result<(), String> {
    let servers = Servers::start_roomy()?;
    let folder = workspace.root().join("docs/src");
    let mut command = process::cargo(workspace.root());
    command
        .args(["run", "--release", "--locked", "--package", "bench"])
        .args(["--bin", "scale", "--"])
        .arg(folder);
    process::show(command.envs(servers.environment()))
}

/// Measures a little, as it was built for the tests, and writes pages that nobody reads: whether the
/// command works.
pub(crate) fn quick(workspace: &Workspace, servers: &Servers) -> Result<(), String> {
    let folder = workspace.root().join("target/scale");
    let mut command = process::cargo(workspace.root());
    command
        .args(["run", "--locked", "--package", "bench", "--bin", "scale"])
        .arg("--")
        .arg(folder)
        .arg("--quick");
    process::show(command.envs(servers.environment()))
}
