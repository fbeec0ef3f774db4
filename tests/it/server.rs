//! An example as a process of its own.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use session_sqlx::SqlxStore;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{client::Client, example::Example};

/// A server that ends with this value.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it serves.
    pub(crate) async fn start(example: Example, database: &Database) -> Self {
        Self::start_with(example, database, &[]).await
    }

    /// Starts a server with more options on its command line.
    pub(crate) async fn start_with(
        example: Example,
        database: &Database,
        options: &[&str],
    ) -> Self {
        let options = [&["--listen", "127.0.0.1:0"], options].concat();
        let started = Self::try_start(example, database, &options).await;
        started.unwrap_or_else(|| panic!("the server does not start:\n{}", database.log_text()))
    }

    /// Starts a server where one was before.
    pub(crate) async fn start_again(
        example: Example,
        database: &Database,
        address: SocketAddr,
    ) -> Self {
        let address = address.to_string();
        // Meanwhile, a client of some other test may have been given the port.
        for _ in 0..100 {
            if let Some(server) = Self::try_start(example, database, &["--listen", &address]).await
            {
                return server;
            }
        }
        panic!("the server does not start again:\n{}", database.log_text());
    }

    async fn try_start(example: Example, database: &Database, options: &[&str]) -> Option<Self> {
        let mut process = Command::new(example.program())
            .args(["--database", &database.url()])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(database.log())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(address) = line.strip_prefix("open http://") {
                    return Some(address.parse().unwrap());
                }
            }
            None
        });
        let address = address.await.expect("the server takes too long to start")?;
        Some(Self { process, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIGKILL: nothing is finished, flushed or said goodbye to.
    pub(crate) async fn kill(mut self) -> SocketAddr {
        self.process.kill().await.unwrap();
        self.address
    }

    /// SIGINT, as ctrl-c sends it.
    pub(crate) async fn interrupt(mut self) -> ExitStatus {
        let id = self.process.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().await;
        assert!(sent.unwrap().success());
        let ended = timeout(PATIENCE, self.process.wait()).await;
        ended.expect("the server does not end").unwrap()
    }
}

/// A database file, and the log of the servers that use it. Both end with this value.
pub(crate) struct Database(TempDir);

impl Database {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The store on the file, opened anew.
    pub(crate) async fn open(&self) -> SqlxStore {
        SqlxStore::connect(&self.url()).await.unwrap()
    }

    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.path().join("sessions.sqlite").display())
    }

    fn log(&self) -> File {
        let mut options = File::options();
        let file = options.create(true).append(true).open(self.log_path());
        file.unwrap()
    }

    fn log_path(&self) -> PathBuf {
        self.path().join("log")
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A server on a database of its own.
pub(crate) struct Application {
    server: Server,
    database: Database,
}

impl Application {
    pub(crate) async fn start(example: Example) -> Self {
        let database = Database::new();
        let server = Server::start(example, &database).await;
        Self { server, database }
    }

    /// One whose page is served from elsewhere.
    pub(crate) async fn start_for_page_from(example: Example, site: &str) -> Self {
        let database = Database::new();
        let server = Server::start_with(example, &database, &["--site", site]).await;
        Self { server, database }
    }

    pub(crate) fn browser(&self) -> Client {
        Client::browser(&self.server)
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn into_parts(self) -> (Server, Database) {
        (self.server, self.database)
    }
}

/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
