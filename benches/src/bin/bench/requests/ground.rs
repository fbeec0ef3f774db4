//! Where the contenders run: each alone on one processor, and everything else on another.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use programs::Node;
use servers::{Kind, OwnServer};
use tempfile::TempDir;

use super::{
    contender::{Asks, Check, Contender, Store},
    judging,
    server::Server,
};
use crate::{built, processors};

/// Running contenders, and what they need.
pub(crate) struct Ground {
    processor: String,
    running: Vec<(Contender, Server)>,
    core: Option<Server>,
    node: Option<Node>,
    redis: Option<OwnServer>,
    folder: TempDir,
}

impl Ground {
    /// Nobody runs yet. What this thread starts from now on runs on the second processor that there
    /// is, unless it is a contender.
    pub(crate) fn prepare() -> Self {
        let [first, second] = processors::first_two();
        processors::confine_this_thread(&second);
        let parent = built::root().join("target/bench");
        fs::create_dir_all(&parent).unwrap();
        Self {
            processor: first,
            running: Vec::new(),
            core: None,
            node: None,
            redis: None,
            folder: TempDir::with_prefix_in("requests-", parent).unwrap(),
        }
    }

    /// Starts a contender, unless it runs, and makes sure that it answers rightly.
    pub(crate) fn start(&mut self, contender: Contender) {
        if self
            .running
            .iter()
            .any(|(running, _)| *running == contender)
        {
            return;
        }
        if contender != TOKENS && self.folder_of(contender) == self.folder_of(TOKENS) {
            self.start(TOKENS);
        }
        let command = self.command(contender);
        let server = Server::start(self.pinned(&command));
        let lines = fs::read_to_string(self.lines_of(contender)).unwrap();
        let has_sessions = !matches!(contender, Contender::Bare(_));
        judging::judge(&server, &lines, has_sessions);
        self.running.push((contender, server));
    }

    /// Who runs.
    pub(crate) fn running(&self) -> &[(Contender, Server)] {
        &self.running
    }

    /// The file of the header lines that a contender's clients send.
    pub(crate) fn lines_of(&self, contender: Contender) -> PathBuf {
        self.folder_of(contender).join("requests")
    }

    /// Where a contender leaves what its clients send, or finds the keys of their tokens.
    fn folder_of(&self, contender: Contender) -> PathBuf {
        let name = match contender {
            Contender::Ours(framework, Check::New) => format!("ours-{framework}"),
            Contender::Ours(framework, Check::Seen) => format!("ours-{framework}-seen"),
            Contender::Ours(framework, Check::Database(store)) => {
                format!("ours-{framework}-{store:?}")
            }
            Contender::TowerSessions(store) => format!("tower-sessions-{store:?}"),
            Contender::ActixSession(store) => format!("actix-session-{store:?}"),
            Contender::Bare(_)
            | Contender::Jsonwebtoken(_)
            | Contender::SuperTokens(..)
            | Contender::Jose(_) => return self.folder_of(TOKENS),
        };
        self.folder.path().join(name)
    }

    fn command(&mut self, contender: Contender) -> Command {
        let folder = self.folder_of(contender);
        fs::create_dir_all(&folder).unwrap();
        match contender {
            Contender::Bare(framework) => {
                let mut peer = Command::new(built::peers("peer"));
                peer.args([framework, "bare"]);
                peer
            }
            Contender::Ours(framework, check) => {
                let mut peer = Command::new(built::peers("peer"));
                peer.args([framework, "session", "--folder"]).arg(&folder);
                match check {
                    Check::New => &mut peer,
                    // With room to spare, so that none is forgotten.
                    Check::Seen => peer.args(["--seen", "10000"]),
                    Check::Database(store) => {
                        let store = self.address_of(store, &folder);
                        peer.args(["--check", "database", "--store", &store])
                    }
                };
                peer
            }
            Contender::Jsonwebtoken(framework) => other(&folder, ["jsonwebtoken", framework]),
            Contender::TowerSessions(store) => {
                let store = self.address_of(store, &folder);
                other(&folder, ["tower-sessions", &store])
            }
            Contender::ActixSession(store) => {
                let store = self.address_of(store, &folder);
                other(&folder, ["actix-session", &store])
            }
            Contender::SuperTokens(framework, asks) => {
                let check = match asks {
                    Asks::Nobody => "stateless",
                    Asks::TheCore => "database",
                };
                self.node(&format!("{framework}_supertokens.mjs"), check)
            }
            Contender::Jose(framework) => self.node(&format!("{framework}_jose.mjs"), "stateless"),
        }
    }

    fn node(&mut self, script: &str, check: &str) -> Command {
        let keys = self.folder_of(TOKENS).join("jwks.json");
        let core = self.core.get_or_insert_with(|| {
            let mut core = Command::new(built::peers("stub-core"));
            core.arg(keys);
            Server::start(core)
        });
        let node = self.node.get_or_insert_with(|| Node::newest().unwrap());
        let folder = built::root().join("benches/peers/node");
        let mut command = node.in_folder(&folder).unwrap();
        command.env("NODE_ENV", "production");
        command.args([script, core.address(), check]);
        command
    }

    /// Where a store is, as contenders take it.
    fn address_of(&mut self, store: Store, folder: &Path) -> String {
        match store {
            Store::Cookie => "cookie".to_owned(),
            Store::Sqlite => format!("sqlite://{}", folder.join("sessions.db").display()),
            Store::Redis => {
                let start = || OwnServer::start(Kind::Redis).unwrap();
                self.redis.get_or_insert_with(start).url().to_owned()
            }
        }
    }

    /// A command on the contenders' processor.
    fn pinned(&self, command: &Command) -> Command {
        let mut pinned = Command::new(programs::taskset().unwrap());
        pinned.args(["--cpu-list", &self.processor]);
        pinned.arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            pinned.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                pinned.env(name, value);
            }
        }
        pinned
    }
}

fn other<const N: usize>(folder: &Path, arguments: [&str; N]) -> Command {
    let mut other = Command::new(built::others());
    other.arg("--folder").arg(folder).args(arguments);
    other
}

/// Whose tokens others verify, too.
const TOKENS: Contender = Contender::Ours("axum", Check::New);
