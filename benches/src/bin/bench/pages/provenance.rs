//! Where figures come from: which machine, which versions, when.

use std::{path::Path, process::Command};

use bench::{extent::Extent, machine};
use databases::{Server, redis_address};
use session_core::clock::{Clock, SystemClock};
use sqlx::{Connection, SqliteConnection};

use crate::verify::waiting;

/// Where the figures of a run come from.
pub(crate) struct Provenance {
    command: &'static str,
    machine: String,
    versions: Vec<String>,
    commit: String,
    date: String,
}

impl Provenance {
    /// Of the run that begins.
    pub(crate) fn now(root: &Path, extent: Extent) -> Self {
        let mut versions = vec![first_words(&said(root, "rustc", &["--version"]), 2)];
        versions.extend(waiting(of_databases()));
        let now = jiff::Timestamp::try_from(SystemClock.now()).unwrap();
        Self {
            command: extent.either("cargo xtask bench", "cargo xtask bench --quick --write"),
            machine: machine::description(),
            versions,
            commit: said(
                root,
                "git",
                &["describe", "--always", "--dirty", "--abbrev=12"],
            ),
            date: now.strftime("%Y-%m-%d").to_string(),
        }
    }

    /// In sentences.
    pub(crate) fn in_words(&self) -> String {
        format!(
            "Written by `{}` on {}, at commit `{}`. The machine: {}. Versions: {}.",
            self.command,
            self.date,
            self.commit,
            self.machine,
            self.versions.join(", ")
        )
    }
}

async fn of_databases() -> Vec<String> {
    let mut sqlite = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let version = sqlx::query_scalar("SELECT sqlite_version()");
    let sqlite: String = version.fetch_one(&mut sqlite).await.unwrap();
    let mut versions = vec![format!("SQLite {sqlite}")];
    for (server, question) in [
        (
            Server::Postgres,
            "SELECT concat('PostgreSQL ', current_setting('server_version'))",
        ),
        (
            Server::MySql,
            "SELECT concat('MariaDB ', substring_index(version(), '-', 1))",
        ),
    ] {
        let said = server.ask_text(&server.address(), question).await;
        versions.push(first_words(&said, 2));
    }
    let redis = redis::Client::open(redis_address()).unwrap();
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    let mut ask = redis::cmd("INFO");
    let information: String = ask.arg("server").query_async(&mut redis).await.unwrap();
    let version = information
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"));
    versions.extend(version.map(|version| format!("Redis {version}")));
    versions
}

fn first_words(text: &str, count: usize) -> String {
    text.split(' ').take(count).collect::<Vec<_>>().join(" ")
}

fn said(root: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
