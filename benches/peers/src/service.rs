//! Sessions to be asked for: where they are kept, how far they are checked, and what a client of
//! each sends.

use std::{convert::Infallible, str::FromStr};

use serde_json::{Map, Value, json};
use session_core::{AppInfo, MemoryStore, NewSession, Sessions, UserId};
use session_redis::RedisStore;
use session_sqlx::SqlxStore;

use crate::Problem;

/// How far the route looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "each route has an arm for each")]
pub enum Check {
    /// At the token alone.
    Stateless,
    /// Into the set of revoked sessions, too.
    Blacklist,
    /// Into the database, too.
    Database,
}

/// Where the sessions are kept.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Store {
    /// In this process.
    Memory,
    /// In a Redis at this address.
    Redis(String),
    /// In an SQL database at this address, such as `sqlite:///folder/sessions.db`.
    Sql(String),
}

impl FromStr for Store {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "memory" => Self::Memory,
            redis if redis.starts_with("redis://") => Self::Redis(redis.to_owned()),
            sql => Self::Sql(sql.to_owned()),
        })
    }
}

/// Opens the sessions of an application that has changed one setting at most: how many verified
/// tokens are remembered.
pub async fn open(store: &Store, remembered: usize) -> Result<Sessions, Problem> {
    let builder = Sessions::builder(AppInfo::new(ORIGIN, ORIGIN))
        .config(|config| config.verified_tokens(remembered));
    let builder = match store {
        Store::Memory => builder.store(MemoryStore::default()),
        Store::Redis(address) => builder.store(RedisStore::connect(address).await?),
        Store::Sql(address) => builder.store(SqlxStore::connect(address).await?),
    };
    Ok(builder.build().await?)
}

/// Logs in so many users, and gives back the header line that each then sends.
pub async fn log_in(sessions: &Sessions, users: u32) -> Result<Vec<String>, Problem> {
    let mut lines = Vec::new();
    for number in 0..users {
        let user = UserId::try_from(format!("user-{number:08}"))?;
        let issued = sessions.create(NewSession::new(user).payload(payload()));
        let token = issued.await?.tokens().access_token().clone();
        lines.push(format!("authorization: Bearer {}", token.expose()));
    }
    Ok(lines)
}

/// Claims such as applications have, with which a token is about 1.1 kB long.
fn payload() -> Map<String, Value> {
    let payload = json!({
        "st-role": { "v": ["member", "editor"], "t": 1_700_000_000_000_i64 },
        "st-perm": { "v": ["read", "write", "share"], "t": 1_700_000_000_000_i64 },
        "email": "somebody@example.com",
        "organisation": "4f1c2a86-2f0e-4a3c-9f57-0f4b7c1f6d21",
        "plan": "basic",
    });
    match payload {
        Value::Object(payload) => payload,
        _ => Map::new(),
    }
}

const ORIGIN: &str = "http://localhost:3000";
