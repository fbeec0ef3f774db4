//! `Hazard`: what makes a server unfit to be relied upon, as far as it tells.

use redis::{InfoDict, RedisError, aio::ConnectionManager};

/// Something about the server that breaks what a store promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Hazard {
    /// When its memory is full, the server deletes sessions, keys and revocations.
    #[error(
        "maxmemory-policy is {0}: when its memory is full, the server deletes sessions, signing \
         keys and revocations; set it to noeviction"
    )]
    Evicts(String),

    /// Nothing is written to the disk with each change.
    #[error("appendonly is no: a restart loses sessions and brings revoked ones back")]
    NotAppended,

    /// The server answers before a change is on the disk.
    #[error(
        "appendfsync is {0}: a crash brings sessions back that were revoked shortly before; set it \
         to always"
    )]
    AnswersBeforeTheDisk(String),

    /// The server does not tell one of its settings, as hosted ones may not.
    #[error("the server does not tell its setting {0}")]
    Untold(&'static str),
}

/// What the server says about itself.
pub(crate) async fn of_server(
    connection: &mut ConnectionManager,
) -> Result<Vec<Hazard>, RedisError> {
    let mut hazards = Vec::new();
    let info: InfoDict = redis::cmd("INFO").query_async(connection).await?;
    match info.get::<String>("maxmemory_policy") {
        // The other policies choose among keys that expire by themselves, and none of ours does.
        Some(policy) if policy.starts_with("allkeys") => hazards.push(Hazard::Evicts(policy)),
        Some(_) => {}
        None => hazards.push(Hazard::Untold("maxmemory-policy")),
    }
    match info.get::<String>("aof_enabled").as_deref() {
        Some("1") => hazards.extend(late_writing(connection).await),
        Some(_) => hazards.push(Hazard::NotAppended),
        None => hazards.push(Hazard::Untold("appendonly")),
    }
    Ok(hazards)
}

/// `CONFIG` alone tells when the server writes to the disk, and hosted servers refuse it.
async fn late_writing(connection: &mut ConnectionManager) -> Option<Hazard> {
    let told: Result<Vec<String>, RedisError> = redis::cmd("CONFIG")
        .arg("GET")
        .arg("appendfsync")
        .query_async(connection)
        .await;
    match told.unwrap_or_default().get(1).map(String::as_str) {
        Some("always") => None,
        Some(other) => Some(Hazard::AnswersBeforeTheDisk(other.to_owned())),
        None => Some(Hazard::Untold("appendfsync")),
    }
}
