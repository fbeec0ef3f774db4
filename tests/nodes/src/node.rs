//! A node as a process of its own.

use std::{fs, net::SocketAddr, path::PathBuf, process::Stdio};

use hyper::Method;
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use crate::{PATIENCE, client::ask};

/// How nodes are run.
#[derive(Debug, Clone)]
#[must_use]
pub struct Settings {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Settings {
    /// With sessions at this address, and the defaults of `node --help`.
    pub fn new(store: &str) -> Self {
        Self {
            program: crate::node_program(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
        .variable("SESSION_STORE", store)
    }

    /// With a Redis at this address beside the store, over which nodes tell one another of
    /// revocations.
    pub fn feed(self, feed: &str) -> Self {
        self.variable("SESSION_FEED", feed)
    }

    /// With an argument of `node --help`.
    pub fn with(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With a variable of the environment.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    fn run(&self, log: &NamedTempFile) -> Child {
        Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }
}

/// A node that ends with this value.
#[derive(Debug)]
pub struct Node {
    process: Child,
    place: Place,
    log: NamedTempFile,
    /// The process ends in order when this is closed.
    _input: ChildStdin,
}

/// Which node, and where.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "complete by nature")]
pub struct Place {
    /// The node's number in the history.
    pub node: usize,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Node {
    /// Starts a node and waits until it serves.
    pub async fn start(node: usize, settings: &Settings) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut process = settings.run(&log);
        let input = process.stdin.take().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await;
        let line = line.expect("the node takes too long to start").unwrap();
        let address = line
            .as_deref()
            .and_then(|line| line.strip_prefix("listening on "))
            .unwrap_or_else(|| panic!("the node does not start:\n{}", text_of(&log)));
        let address = address.parse().unwrap();
        Self {
            process,
            place: Place { node, address },
            log,
            _input: input,
        }
    }

    /// Starts a node that is to refuse to; what it says of the reason.
    ///
    /// # Panics
    ///
    /// When it does not refuse.
    pub async fn refusal(settings: &Settings) -> String {
        let log = NamedTempFile::new().unwrap();
        let mut process = settings.run(&log);
        let ended = timeout(PATIENCE, process.wait()).await;
        let ended = ended.expect("the node does not refuse to start").unwrap();
        assert!(!ended.success(), "the node ended without a complaint");
        text_of(&log)
    }

    /// Which node, and where.
    pub fn place(&self) -> Place {
        self.place
    }

    /// What it says of its health.
    pub async fn health(&self) -> Value {
        let answer = ask(self.place.address, Method::GET, "/health", None).await;
        answer.expect("the node is not there").json()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// Sends it a signal, such as `STOP` or `CONT`.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub async fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", signal, &id])
            .status()
            .await;
        assert!(sent.unwrap().success());
    }

    /// SIGKILL: nothing is finished, flushed or said goodbye to.
    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
        self.assert_no_panic();
    }

    /// Ends it in order, by SIGTERM: what it has begun is finished.
    ///
    /// # Panics
    ///
    /// When it does not end, or not well.
    pub async fn end(&mut self) {
        self.signal("TERM").await;
        let ended = timeout(PATIENCE, self.process.wait()).await;
        let ended = ended.expect("the node does not end").unwrap();
        assert!(ended.success(), "{ended}\n{}", text_of(&self.log));
        self.assert_no_panic();
    }

    /// Fails if something in it panicked.
    #[track_caller]
    pub fn assert_no_panic(&self) {
        let log = text_of(&self.log);
        assert!(!log.contains("panicked"), "{log}");
    }
}

fn text_of(log: &NamedTempFile) -> String {
    fs::read_to_string(log.path()).unwrap_or_default()
}
