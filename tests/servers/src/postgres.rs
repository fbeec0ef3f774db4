//! A PostgreSQL server with the durable settings that it comes with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Account, Server, free_port, launch, on_path, password, process, program};

pub(super) const VARIABLE: &str = "SESSION_TEST_POSTGRES_URL";

pub(super) fn start(parent: &Path) -> Result<Server, String> {
    let postgres = program(find, "postgresql")?;
    let beside = |name: &str| postgres.with_file_name(name);
    let account = Account::of("postgres")?;
    let folder = account.folder(parent, "postgres")?;
    let (data, log) = (folder.join("data"), parent.join("postgres.log"));
    let (port, password) = (free_port()?.to_string(), password()?);
    let secret = account.secret(&folder, "password", &password)?;
    process::capture(
        account
            .command(&beside("initdb"))
            .args([
                "--username=session",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
            ])
            .arg("--locale=C.UTF-8")
            .arg("--pwfile")
            .arg(&secret)
            .arg("--pgdata")
            .arg(&data)
            .current_dir(&folder),
    )?;
    let mut command = account.server(&postgres, "INT", &log)?;
    command.current_dir(&folder).arg("-D").arg(&data);
    command.args(["-p", &port, "-k", "", "-h", "127.0.0.1"]);
    // Every test opens several pools.
    command.args(["-c", "max_connections=500"]);
    let url = format!("postgres://session:{password}@127.0.0.1:{port}/postgres");
    launch(
        &mut command,
        |child| Server {
            variable: VARIABLE,
            url: url.clone(),
            child,
            ends_on: "INT",
        },
        &log,
        || {
            let mut ask = account.command(&beside("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port]);
            ask.current_dir(&folder);
            ask.status().is_ok_and(|status| status.success())
        },
    )
}

/// The newest version that the distribution installed, or one on the search path.
fn find() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    versions
        .flatten()
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin/postgres")))
        })
        .filter(|(_, program)| program.is_file())
        .max()
        .map(|(_, program)| program)
        .or_else(|| on_path("postgres"))
}
