//! A server of its own for a test that is unkind to it, reached by a socket in its folder.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command as Program, Stdio},
    time::Duration,
};

use redis::{Client, Cmd, FromRedisValue};
use session_redis::{ConnectOptions, RedisStore};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time,
};

use crate::shared_server::PATIENCE;

/// A server that ends with the test.
pub(crate) struct OwnServer {
    folder: TempDir,
    child: Child,
    /// Kept, or the server could no longer write its log.
    log: Lines<BufReader<ChildStdout>>,
}

/// Writes everything to the disk before it answers.
pub(crate) const DURABLE: &str = "appendonly yes\nappendfsync always\n";
/// Keeps nothing.
pub(crate) const FORGETFUL: &str = "appendonly no\n";

impl OwnServer {
    pub(crate) async fn start(settings: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut lines = format!(
            "port 0\nunixsocket {0}/socket\ndir {0}\nsave \"\"\n",
            folder.path().display()
        );
        lines.write_str(settings).unwrap();
        fs::write(folder.path().join("redis.conf"), lines).unwrap();
        let (child, log) = launch(&folder).await;
        Self { folder, child, log }
    }

    /// Kills it in the middle of whatever it does, and starts it on what it left on the disk.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.child.kill().await.unwrap();
        (self.child, self.log) = launch(&self.folder).await;
    }

    /// Kills it for good.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends it a signal: `STOP` or `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().unwrap().to_string();
        let sent = Program::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    pub(crate) fn options(&self) -> ConnectOptions {
        ConnectOptions::new(address(&self.socket())).timeout(PATIENCE)
    }

    pub(crate) async fn store(&self) -> RedisStore {
        RedisStore::connect_with(self.options()).await.unwrap()
    }

    /// The answer of a command, given as its words.
    pub(crate) async fn run<T: FromRedisValue>(&self, words: &str) -> T {
        let client = Client::open(address(&self.socket())).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = Cmd::new();
        for word in words.split(' ') {
            command.arg(word);
        }
        command.query_async(&mut connection).await.unwrap()
    }
}

/// The address of a socket.
pub(crate) fn address(socket: &Path) -> String {
    format!("redis+unix://{}", socket.display())
}

async fn launch(folder: &TempDir) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new("redis-server")
        .arg(folder.path().join("redis.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| {
            panic!("redis-server: {error}; `cargo xtask test` installs it where it is missing")
        });
    let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = async {
        while let Some(line) = log.next_line().await.unwrap() {
            if line.to_lowercase().contains("ready to accept connections") {
                return;
            }
        }
        panic!("the server ended");
    };
    time::timeout(PATIENCE, ready).await.unwrap();
    (child, log)
}

/// Asks again until there is an answer: a connection that broke is made again by the next call.
pub(crate) async fn in_the_end<T, E: std::fmt::Debug>(
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let answered = async {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(_) => time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    time::timeout(PATIENCE, answered).await.unwrap()
}

/// Looks again until it is so.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    in_the_end(async || is_so().await.then_some(()).ok_or("not yet")).await;
}
