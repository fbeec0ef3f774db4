//! Throw-away database servers for the tests, from the distribution's packages: one of each kind for
//! all tests, and servers of a test's own that it may kill, stop and start again.
//!
//! Each has a random port on the loopback device, a random password and a folder of its own, and
//! ends with us however we end: the kernel tells it when the thread that started it ends
//! (`setpriv --pdeathsig`), and a shell that outlives us removes the folder.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error is a text for a person, which says what did not work"
)]

mod account;
mod certificates;
mod folder;
mod mariadb;
mod postgres;
mod processes;
mod redis;
mod server;

use account::Account;
pub use certificates::{Authority, Identity};
use folder::Folder;
pub use folder::free_port;
use programs::{on_path, process, program};
use server::Server;
pub use server::{Kind, OwnServer};

/// Running servers; dropping it ends them.
#[derive(Debug)]
pub struct Servers(Vec<OwnServer>);

impl Servers {
    /// Starts one server of each kind, installing what is missing.
    pub fn start() -> Result<Self, String> {
        Self::each(OwnServer::start)
    }

    /// The same, with memory for a million sessions.
    pub fn start_roomy() -> Result<Self, String> {
        Self::each(OwnServer::start_roomy)
    }

    /// Starts a PostgreSQL alone, installing it when it is missing.
    pub fn start_postgres() -> Result<Self, String> {
        OwnServer::start(Kind::Postgres).map(|server| Self(vec![server]))
    }

    fn each(start: fn(Kind) -> Result<OwnServer, String>) -> Result<Self, String> {
        let servers = [Kind::Postgres, Kind::MariaDb, Kind::Redis].map(start);
        servers.into_iter().collect::<Result<_, _>>().map(Self)
    }

    /// What the tests find the servers by: names of environment variables, and addresses.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0
            .iter()
            .map(|server| (server.kind().variable(), server.url()))
    }
}
