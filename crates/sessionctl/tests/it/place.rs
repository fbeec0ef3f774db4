//! A database of a test's own, with sessions in it, and the tool that looks at it.

use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};

use databases::{Database, PATIENCE, Server, unused_name};
use serde_json::Value;
use session_core::{
    AppInfo, IssuedSession, NewSession, Sessions, SessionsBuilder, TenantId, UserId,
    clock::{Clock as _, ManualClock, SystemClock},
};
use session_redis::RedisStore;
use session_sqlx::SqlxStore;
use tempfile::TempDir;

/// Where a test's sessions are.
pub(crate) enum Place {
    File(TempDir),
    OnServer(Database),
    Redis(String),
}

impl Place {
    /// One of each kind.
    pub(crate) fn all() -> Vec<Self> {
        let servers = Server::ALL.map(|server| Self::OnServer(Database::on(server)));
        let mut places = vec![Self::file(), Self::Redis(unused_name())];
        places.extend(servers);
        places
    }

    pub(crate) fn file() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    pub(crate) async fn url(&self) -> String {
        match self {
            Self::File(folder) => {
                format!("sqlite://{}", folder.path().join("sessions.db").display())
            }
            Self::OnServer(database) => database.url().await,
            Self::Redis(_) => databases::redis_address(),
        }
    }

    /// A service that began this long ago, by its clock.
    pub(crate) async fn sessions(
        &self,
        ago: Duration,
        change: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Sessions {
        let url = self.url().await;
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        let then = SystemClock.now().checked_sub(ago).unwrap();
        let builder = Sessions::builder(app)
            .clock(ManualClock::new(then))
            .config(|config| config.store_timeout(PATIENCE));
        let builder = change(builder);
        let builder = match self {
            Self::Redis(prefix) => {
                let options = session_redis::ConnectOptions::new(url)
                    .prefix(prefix)
                    .timeout(PATIENCE);
                builder.store(RedisStore::connect_with(options).await.unwrap())
            }
            Self::File(_) | Self::OnServer(_) => {
                let options = session_sqlx::ConnectOptions::new(url).timeout(PATIENCE);
                builder.store(SqlxStore::connect_with(options).await.unwrap())
            }
        };
        builder.build().await.unwrap()
    }

    /// A session and its keys, from an hour ago, when the service that made them has ended.
    pub(crate) async fn with_one(&self, user: &str) -> IssuedSession {
        let sessions = self.sessions(HOUR, |builder| builder).await;
        let issued = sessions.create(new(user)).await.unwrap();
        sessions.shutdown().await;
        issued
    }

    /// The tool with these arguments on this database, its address in the environment.
    pub(crate) async fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = tool(arguments);
        command.env("SESSION_DATABASE_URL", self.url().await);
        if let Self::Redis(prefix) = self {
            command.args(["--prefix", prefix]);
        }
        command.args(["--timeout", "60"]);
        command
    }

    /// What the tool says as JSON, when all went well.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        let mut command = self.tool(arguments).await;
        let ran = ran(command.arg("--json"));
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.errors);
        serde_json::from_str(&ran.text).unwrap()
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.tool(arguments).await)
    }
}

/// The tool, which knows of no database.
pub(crate) fn tool(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessionctl"));
    command
        .args(arguments)
        .env_remove("SESSION_DATABASE_URL")
        .env_remove("SESSION_ENCRYPTION_SECRETS")
        .env_remove("SESSION_REDIS_ROOT_CERTIFICATE")
        .env_remove("SESSION_REDIS_CLIENT_CERTIFICATE")
        .env_remove("SESSION_REDIS_CLIENT_KEY")
        .stdin(Stdio::null());
    command
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) text: String,
    pub(crate) errors: String,
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    Ran::of(command.output().unwrap())
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            text: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub(crate) fn new(user: &str) -> NewSession {
    NewSession::new(UserId::try_from(user).unwrap())
}

pub(crate) fn in_tenant(user: &str, tenant: &str) -> NewSession {
    new(user).tenant(TenantId::try_from(tenant).unwrap())
}

pub(crate) const HOUR: Duration = Duration::from_hours(1);
