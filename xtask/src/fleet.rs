//! `cargo xtask fleet`: the example of several nodes, on a PostgreSQL that is thrown away.

use std::process::Stdio;

use servers::Servers;

use crate::{process, workspace::Workspace};

/// Runs the example until it is interrupted. It ends with us however we end, as its input does, and
/// so does the server.
pub(crate) fn serve(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let servers = Servers::start_postgres()?;
    let (_, database) = servers.environment().next().ok_or("there is no server")?;
    let mut fleet = process::cargo(workspace.root());
    fleet.args(["run", "--locked", "--package", "example-fleet", "--"]);
    fleet.args(arguments).arg("--attached");
    fleet.env("DATABASE_URL", database).stdin(Stdio::piped());
    process::announce(&fleet);
    let spawned = fleet.spawn();
    let mut running = spawned.map_err(|error| process::cannot_start(&fleet, &error))?;
    // Not `wait` alone: that closes its input first.
    let input = running.stdin.take();
    let ended = running.wait().map_err(|error| error.to_string())?;
    drop(input);
    if ended.success() {
        Ok(())
    } else {
        Err(format!("the fleet: {ended}"))
    }
}
