//! What makes a server unfit to be relied upon, as far as it tells (security §5.2).

use redis::{InfoDict, RedisError, aio::ConnectionManager};
use session_core::finding::{Finding, Severity};

/// Asks the server about itself.
pub(crate) async fn of_server(
    connection: &mut ConnectionManager,
) -> Result<Vec<Finding>, RedisError> {
    let info: InfoDict = redis::cmd("INFO").query_async(connection).await?;
    let told = Told {
        policy: info.get("maxmemory_policy"),
        is_appended: info.get::<u8>("aof_enabled").map(|enabled| enabled == 1),
        last_append: info.get("aof_last_write_status"),
        flushes: setting(connection, "appendfsync").await,
        role: info.get("role"),
        replicas: info.get("connected_slaves").unwrap_or(0),
        awaited: setting(connection, "min-replicas-to-write").await,
    };
    Ok(told.findings())
}

/// `CONFIG` alone tells some settings, and hosted servers refuse it.
async fn setting(connection: &mut ConnectionManager, name: &str) -> Option<String> {
    let told: Result<Vec<String>, RedisError> = redis::cmd("CONFIG")
        .arg("GET")
        .arg(name)
        .query_async(connection)
        .await;
    told.ok()?.into_iter().nth(1)
}

/// What a server said, where it did.
#[derive(Debug, Clone)]
struct Told {
    policy: Option<String>,
    is_appended: Option<bool>,
    last_append: Option<String>,
    flushes: Option<String>,
    role: Option<String>,
    replicas: u64,
    awaited: Option<String>,
}

impl Told {
    fn findings(&self) -> Vec<Finding> {
        let mut findings = vec![self.eviction(), self.writing(), self.last_writing()];
        findings.extend([self.role(), self.replicas()]);
        findings.into_iter().flatten().collect()
    }

    /// The other policies choose among keys that expire by themselves, and none of ours does.
    fn eviction(&self) -> Option<Finding> {
        let Some(policy) = &self.policy else {
            return Some(untold("maxmemory-policy"));
        };
        policy.starts_with("allkeys").then(|| {
            Finding::new(
                Severity::Danger,
                "maxmemory-policy",
                "when its memory is full, the server deletes sessions, signing keys and revocations",
            )
            .with_value(policy)
            .with_remedy("set it to noeviction")
        })
    }

    fn writing(&self) -> Option<Finding> {
        match (self.is_appended, self.flushes.as_deref()) {
            (None, _) => Some(untold("appendonly")),
            (Some(false), _) => Some(
                Finding::new(
                    Severity::Danger,
                    "appendonly",
                    "a restart loses sessions and brings revoked ones back",
                )
                .with_value("no")
                .with_remedy("set it to yes, and appendfsync to always"),
            ),
            (Some(true), Some("always")) => None,
            (Some(true), Some(other)) => Some(
                Finding::new(
                    Severity::Danger,
                    "appendfsync",
                    "a crash brings sessions back that were revoked shortly before",
                )
                .with_value(other)
                .with_remedy("set it to always"),
            ),
            (Some(true), None) => Some(untold("appendfsync")),
        }
    }

    fn last_writing(&self) -> Option<Finding> {
        let status = self
            .last_append
            .as_deref()
            .filter(|status| *status != "ok")?;
        Some(
            Finding::new(
                Severity::Danger,
                "aof_last_write_status",
                "the server cannot write to its disk",
            )
            .with_value(status)
            .with_remedy("look at the server's log and at the space on its disk"),
        )
    }

    fn role(&self) -> Option<Finding> {
        let role = self.role.as_deref().filter(|role| *role != "master")?;
        Some(
            Finding::new(
                Severity::Danger,
                "role",
                "the server only repeats what another one does, and refuses every call",
            )
            .with_value(role)
            .with_remedy("name the primary in the address"),
        )
    }

    fn replicas(&self) -> Option<Finding> {
        if self.replicas == 0 {
            return None;
        }
        let Some(awaited) = &self.awaited else {
            return Some(untold("min-replicas-to-write"));
        };
        (awaited == "0").then(|| {
            Finding::new(
                Severity::Warning,
                "min-replicas-to-write",
                "a failover loses what no replica had received, and a primary that is cut off goes \
                 on taking writes that are lost",
            )
            .with_value(awaited)
            .with_remedy("set it to 1 or more")
        })
    }
}

/// A hosted server may keep a setting to itself.
fn untold(setting: &'static str) -> Finding {
    Finding::new(
        Severity::Warning,
        setting,
        "the server does not tell how it is set, so nothing is known about it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Told {
        Told {
            policy: Some("noeviction".to_owned()),
            is_appended: Some(true),
            last_append: Some("ok".to_owned()),
            flushes: Some("always".to_owned()),
            role: Some("master".to_owned()),
            replicas: 0,
            awaited: Some("0".to_owned()),
        }
    }

    /// Security §5.2: a server that keeps what it is given has nothing wrong with it.
    #[test]
    fn a_sound_server_has_no_findings() {
        assert_eq!(sound().findings(), []);
    }

    /// H7: a failover to a replica that nobody waited for loses what was acknowledged.
    #[test]
    fn replicas_that_nobody_waits_for_are_found() {
        let mut told = sound();
        told.replicas = 1;
        let subjects = |told: &Told| -> Vec<String> {
            let findings = told.findings().into_iter();
            findings
                .map(|finding| format!("{} {}", finding.severity(), finding.subject()))
                .collect()
        };
        assert_eq!(subjects(&told), ["warning min-replicas-to-write"]);
        told.awaited = None;
        assert_eq!(subjects(&told), ["warning min-replicas-to-write"]);
        told.awaited = Some("1".to_owned());
        assert_eq!(told.findings(), []);
    }

    /// I9: a disk that is full, and a server that became a replica, are found while they last.
    #[test]
    fn a_server_that_cannot_write_is_found() {
        let mut told = sound();
        told.last_append = Some("err".to_owned());
        told.role = Some("slave".to_owned());
        let findings = told.findings();
        assert_eq!(findings.len(), 2);
        assert!(
            findings
                .iter()
                .all(|finding| finding.severity() == Severity::Danger)
        );
    }
}
