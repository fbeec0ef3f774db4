//! What a PostgreSQL server says of itself that weakens what is promised (security §5.2).

use session_core::{
    finding::{Finding, Severity},
    store::StoreError,
};
use sqlx::Postgres;

use crate::{connections::Connections, settings::Settings};

/// A standby that has a slot counts while it is away, too. Who may not see the senders sees that
/// they are there.
const ASK_SETTINGS: &str = "SELECT name AS setting, setting AS value FROM pg_settings \
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names') \
    UNION ALL SELECT 'standbys', (EXISTS (SELECT 1 FROM pg_stat_replication) OR EXISTS \
    (SELECT 1 FROM pg_replication_slots WHERE slot_type = 'physical'))::text \
    UNION ALL SELECT 'pg_is_in_recovery', pg_is_in_recovery()::text";

pub(super) async fn findings(
    connections: &Connections<Postgres>,
) -> Result<Vec<Finding>, StoreError> {
    Ok(judge(&Settings::ask(connections, ASK_SETTINGS).await?))
}

fn judge(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(settings.unless(
        Severity::Danger,
        "fsync",
        "on",
        "a crash of the machine may lose what was acknowledged, and damage the database",
    ));
    findings.extend(settings.unless(
        Severity::Danger,
        "full_page_writes",
        "on",
        "a crash of the machine may damage the database",
    ));
    findings.extend(synchronous_commit(settings));
    if settings.get("standbys") == "true" && settings.get("synchronous_standby_names").is_empty() {
        findings.push(
            Finding::new(
                Severity::Warning,
                "synchronous_standby_names",
                "there are standbys and no commit waits for one: a failover may undo revocations \
                 that were acknowledged in the last moments",
            )
            .with_value("empty")
            .with_remedy("name the standbys, and set synchronous_commit to remote_apply"),
        );
    }
    if settings.get("pg_is_in_recovery") == "true" {
        findings.push(
            Finding::new(
                Severity::Danger,
                "pg_is_in_recovery",
                "the server only repeats what another one does, and may be behind it",
            )
            .with_value("true")
            .with_remedy("name the primary in the address"),
        );
    }
    findings
}

/// Every transaction that writes says `on` by itself, whatever this is.
fn synchronous_commit(settings: &Settings) -> Option<Finding> {
    let value = settings.get("synchronous_commit");
    matches!(value, "off" | "local" | "remote_write").then(|| {
        Finding::new(
            Severity::Notice,
            "synchronous_commit",
            "transactions on sessions wait for the disk all the same; the application's others may \
             be lost in a crash",
        )
        .with_value(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(changed: &[(&str, &str)]) -> Vec<String> {
        let sound = [
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("synchronous_commit", "on"),
            ("synchronous_standby_names", ""),
            ("standbys", "false"),
            ("pg_is_in_recovery", "false"),
        ];
        let findings = judge(&sound.iter().chain(changed).copied().collect());
        let in_words = |finding: &Finding| format!("{} {}", finding.severity(), finding.subject());
        findings.iter().map(in_words).collect()
    }

    /// Security §5.2: a server as it is by default has nothing wrong with it.
    #[test]
    fn a_sound_server_has_no_findings() {
        assert!(found(&[]).is_empty());
        assert!(found(&[("synchronous_commit", "remote_apply")]).is_empty());
    }

    /// Security §5.2: what may lose a commit that was acknowledged is a danger.
    #[test]
    fn a_server_that_does_not_wait_for_its_disk_is_found() {
        assert_eq!(found(&[("fsync", "off")]), ["danger fsync"]);
        let torn = found(&[("full_page_writes", "off")]);
        assert_eq!(torn, ["danger full_page_writes"]);
        for weak in ["off", "local", "remote_write"] {
            let weak = found(&[("synchronous_commit", weak)]);
            assert_eq!(weak, ["notice synchronous_commit"]);
        }
    }

    /// H6, H7: a failover to a standby that nobody waited for loses what was acknowledged.
    #[test]
    fn standbys_that_nobody_waits_for_are_found() {
        let with = |names| found(&[("standbys", "true"), ("synchronous_standby_names", names)]);
        assert_eq!(with(""), ["warning synchronous_standby_names"]);
        assert!(with("ANY 1 (*)").is_empty());
        let standby = found(&[("pg_is_in_recovery", "true")]);
        assert_eq!(standby, ["danger pg_is_in_recovery"]);
    }
}
