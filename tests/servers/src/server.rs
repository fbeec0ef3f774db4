//! A server that runs on data of its own, and what can be done to it.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
    thread,
    time::Duration,
};

use crate::{
    Authority, Folder, Identity,
    certificates::Tls,
    mariadb, postgres,
    processes::{children_of, is_running, send, stands_still},
    redis,
};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests cover each")]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
    /// Redis.
    Redis,
}

impl Kind {
    /// What the tests find the address of a server by that they share.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "SESSION_TEST_POSTGRES_URL",
            Self::MariaDb => "SESSION_TEST_MYSQL_URL",
            Self::Redis => "SESSION_TEST_REDIS_URL",
        }
    }

    fn prepare(self, parent: &Path, tls: Option<&Tls>) -> Result<Server, String> {
        match self {
            Self::Postgres => postgres::prepare(parent, tls),
            Self::MariaDb => mariadb::prepare(parent, tls),
            Self::Redis => redis::prepare(parent, tls),
        }
    }

    /// The signal upon which it ends in order and at once.
    pub(crate) fn ends_on(self) -> &'static str {
        match self {
            Self::Postgres => "INT",
            Self::MariaDb | Self::Redis => "TERM",
        }
    }
}

/// A server that ends with this value, as does its data.
#[derive(Debug)]
pub struct OwnServer {
    server: Server,
    running: Option<Child>,
    folder: Folder,
}

/// How a server is run on data that it has.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    pub(crate) command: Command,
    /// Asks whether it answers: the answer begins with `answer`.
    pub(crate) ask: Command,
    pub(crate) answer: &'static str,
}

impl OwnServer {
    /// Starts a server on no data, installing it when it is missing.
    pub fn start(kind: Kind) -> Result<Self, String> {
        Self::start_on_nothing(kind, None)
    }

    /// The same, for those who speak TLS and, where `clients` is given, have a certificate of that
    /// authority's. Its address demands nothing of the kind.
    pub fn start_with_tls(
        kind: Kind,
        identity: &Identity,
        clients: Option<&Authority>,
    ) -> Result<Self, String> {
        Self::start_on_nothing(kind, Some(&Tls { identity, clients }))
    }

    /// Starts a server with memory for a million sessions, which a SQL server does not have by
    /// itself.
    pub(crate) fn start_roomy(kind: Kind) -> Result<Self, String> {
        let folder = Folder::new()?;
        let mut server = kind.prepare(folder.path(), None)?;
        server.command.args(match kind {
            Kind::Postgres => &["--shared_buffers=2GB", "--max_wal_size=4GB"][..],
            Kind::MariaDb => &["--innodb-buffer-pool-size=2G", "--innodb-log-file-size=2G"],
            Kind::Redis => &[],
        });
        Self::run(server, folder)
    }

    fn start_on_nothing(kind: Kind, tls: Option<&Tls>) -> Result<Self, String> {
        let folder = Folder::new()?;
        Self::run(kind.prepare(folder.path(), tls)?, folder)
    }

    /// Starts a PostgreSQL server that repeats what `primary` does, until it is promoted.
    pub fn standby_of(primary: &Self) -> Result<Self, String> {
        let folder = Folder::new()?;
        let server = postgres::prepare_standby(&primary.server.url, folder.path())?;
        Self::run(server, folder)
    }

    fn run(server: Server, folder: Folder) -> Result<Self, String> {
        let mut server = Self {
            server,
            running: None,
            folder,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Starts it on the data that it has, at the address that it had, and waits until it answers.
    pub fn start_again(&mut self) -> Result<(), String> {
        let kind = self.server.kind;
        let child = self.server.command.spawn();
        let child = child.map_err(|error| format!("{kind:?} does not start: {error}"))?;
        self.running = Some(child);
        let up = wait_until(|| match self.running.as_mut().map(Child::try_wait) {
            Some(Ok(None)) => Ok(self.server.answers()),
            _ => Err("it ended".to_owned()),
        });
        up.map_err(|problem| {
            let said = fs::read_to_string(self.folder.log()).unwrap_or_default();
            format!("{kind:?} does not start: {problem}\n{said}")
        })
    }

    /// Kills it in the middle of whatever it does (`SIGKILL`), and all processes that it has.
    pub fn kill(&mut self) -> Result<(), String> {
        let Some(mut child) = self.running.take() else {
            return Ok(());
        };
        // Stopped first: it starts no more, and once it is gone they are nobody's children.
        send("STOP", &[child.id()])?;
        let children = children_of(child.id())?;
        send("KILL", &[child.id()])?;
        if !children.is_empty() {
            // Some may have ended by themselves meanwhile.
            drop(send("KILL", &children));
        }
        child.wait().map_err(|error| error.to_string())?;
        wait_until(|| Ok(!children.iter().copied().any(is_running)))
    }

    /// Stops it where it stands (`SIGSTOP`): its connections stay open, and nobody answers.
    pub fn pause(&self) -> Result<(), String> {
        self.signal("STOP")?;
        // On a busy machine it may go on for a moment after the signal was sent.
        let running = self.running.as_ref();
        wait_until(|| Ok(running.is_none_or(|child| stands_still(child.id()))))
    }

    /// Lets it go on (`SIGCONT`).
    pub fn resume(&self) -> Result<(), String> {
        self.signal("CONT")
    }

    /// Which server this is.
    pub fn kind(&self) -> Kind {
        self.server.kind
    }

    /// Where it is reached, with the account and the password.
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// Sends a signal to the server and to those that it started: PostgreSQL has a process for every
    /// connection.
    fn signal(&self, signal: &str) -> Result<(), String> {
        let Some(child) = &self.running else {
            return Ok(());
        };
        // It first, so that it starts no more.
        send(signal, &[child.id()])?;
        match children_of(child.id())? {
            children if children.is_empty() => Ok(()),
            // Some may have ended by themselves meanwhile.
            children => send(signal, &children).or(Ok(())),
        }
    }

    fn stop(&mut self) {
        let Some(mut child) = self.running.take() else {
            return;
        };
        // Once it has been waited for, its pid may be somebody else's.
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        let mut signals = vec![child.id()];
        signals.extend(children_of(child.id()).unwrap_or_default());
        // It may have been stopped.
        drop(send("CONT", &signals));
        let kind = self.server.kind;
        let in_order = send(kind.ends_on(), &[child.id()]).is_ok()
            && wait_until(|| Ok(matches!(child.try_wait(), Ok(Some(_))))).is_ok();
        if !in_order {
            eprintln!("{kind:?} does not end in order: killed");
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Server {
    fn answers(&mut self) -> bool {
        self.ask.output().is_ok_and(|output| {
            output.status.success() && output.stdout.starts_with(self.answer.as_bytes())
        })
    }
}

fn wait_until(mut done: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    for _ in 0..MOST_LOOKS {
        if done()? {
            return Ok(());
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    Err("no answer in time".to_owned())
}

/// A minute in which a server may start or end, on a machine that is busy.
const MOST_LOOKS: u32 = 1200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::Servers;

    /// All servers answer, and when they are dropped neither they nor their folders are left. One may
    /// be started alone.
    #[test]
    fn nothing_is_left_of_the_servers() {
        let servers = Servers::start().unwrap();
        let variables: Vec<_> = servers.environment().map(|(name, _)| name).collect();
        let kinds = [Kind::Postgres, Kind::MariaDb, Kind::Redis];
        assert_eq!(variables, kinds.map(Kind::variable));
        let left: Vec<PathBuf> = (servers.0.iter())
            .flat_map(|server| [process_of(server), server.folder.path().to_owned()])
            .collect();
        assert!(left.iter().all(|path| path.exists()));
        drop(servers);
        assert!(!left.iter().any(|path| path.exists()));

        let servers = Servers::start_postgres().unwrap();
        let variables: Vec<_> = servers.environment().map(|(name, _)| name).collect();
        assert_eq!(variables, [Kind::Postgres.variable()]);
    }

    /// A server that is stopped answers nobody, and goes on where it stopped.
    #[test]
    fn a_stopped_server_goes_on() {
        let mut server = OwnServer::start(Kind::Redis).unwrap();
        server.pause().unwrap();
        let stat = fs::read_to_string(process_of(&server).join("stat")).unwrap();
        assert!(stat.contains(") T "), "{stat}");
        server.resume().unwrap();
        assert!(server.server.answers());
        server.pause().unwrap();
        let process = process_of(&server);
        drop(server);
        assert!(!process.exists());
    }

    /// A killed server leaves no process, stopped or not, and is started again on its data at its
    /// address.
    #[test]
    fn a_killed_server_is_started_again() {
        for kind in [Kind::Postgres, Kind::MariaDb, Kind::Redis] {
            let mut server = OwnServer::start(kind).unwrap();
            for is_stopped in [false, true] {
                let process = server.running.as_ref().unwrap().id();
                let children = children_of(process).unwrap();
                assert_eq!(kind == Kind::Postgres, !children.is_empty());
                if is_stopped {
                    server.pause().unwrap();
                }
                server.kill().unwrap();
                assert!(!server.server.answers());
                assert!(!children.iter().copied().any(is_running), "{children:?}");
                server.start_again().unwrap();
                assert!(server.server.answers());
            }
        }
    }

    /// A standby is a server of its own, on a copy of its primary's data.
    #[test]
    fn a_standby_outlives_its_primary() {
        let mut primary = OwnServer::start(Kind::Postgres).unwrap();
        let mut standby = OwnServer::standby_of(&primary).unwrap();
        assert_ne!(primary.url(), standby.url());
        primary.kill().unwrap();
        assert!(standby.server.answers());
        let data = standby.folder.path().join("postgres/data");
        assert!(data.join("standby.signal").is_file());
    }

    fn process_of(server: &OwnServer) -> PathBuf {
        Path::new("/proc").join(server.running.as_ref().unwrap().id().to_string())
    }
}
