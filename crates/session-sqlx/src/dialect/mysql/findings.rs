//! What a MySQL or MariaDB server says of itself that weakens what is promised (security §5.2).

use session_core::{
    finding::{Finding, Severity},
    store::StoreError,
};
use sqlx::MySql;

use crate::{connections::Connections, settings::Settings};

const ASK_SETTINGS: &str = "SELECT 'innodb_flush_log_at_trx_commit' AS setting, \
    CAST(@@global.innodb_flush_log_at_trx_commit AS CHAR) AS value \
    UNION ALL SELECT 'innodb_doublewrite', CAST(@@global.innodb_doublewrite AS CHAR) \
    UNION ALL SELECT 'log_bin', CAST(@@global.log_bin AS CHAR) \
    UNION ALL SELECT 'sync_binlog', CAST(@@global.sync_binlog AS CHAR) \
    UNION ALL SELECT 'sql_mode', @@global.sql_mode \
    UNION ALL SELECT 'read_only', CAST(@@global.read_only AS CHAR)";

pub(super) async fn findings(connections: &Connections<MySql>) -> Result<Vec<Finding>, StoreError> {
    Ok(judge(&Settings::ask(connections, ASK_SETTINGS).await?))
}

fn judge(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(settings.unless(
        Severity::Danger,
        "innodb_flush_log_at_trx_commit",
        "1",
        "a crash may undo revocations that were acknowledged in the last second",
    ));
    if is_off(settings.get("innodb_doublewrite")) {
        findings.push(
            Finding::new(
                Severity::Danger,
                "innodb_doublewrite",
                "a crash of the machine may damage the database",
            )
            .with_value("off")
            .with_remedy("set it to ON, unless the file system writes whole pages by itself"),
        );
    }
    if !is_off(settings.get("log_bin")) {
        findings.extend(settings.unless(
            Severity::Warning,
            "sync_binlog",
            "1",
            "after a crash of the machine, replicas and restored backups may lack revocations that \
             were acknowledged",
        ));
    }
    let mode = settings.get("sql_mode");
    if !mode.contains("STRICT_ALL_TABLES") && !mode.contains("STRICT_TRANS_TABLES") {
        findings.push(
            Finding::new(
                Severity::Notice,
                "sql_mode",
                "the server cuts off what is too long instead of refusing it; the connections to \
                 the sessions are strict by themselves, and the application's others are not",
            )
            .with_value("not strict")
            .with_remedy("add STRICT_TRANS_TABLES"),
        );
    }
    if !is_off(settings.get("read_only")) {
        findings.push(
            Finding::new(
                Severity::Danger,
                "read_only",
                "the server only repeats what another one does, and may be behind it",
            )
            .with_value("on")
            .with_remedy("name the primary in the address"),
        );
    }
    findings
}

/// A switch is a number in one version and a word in the next.
fn is_off(value: &str) -> bool {
    matches!(value, "0") || value.eq_ignore_ascii_case("off")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(changed: &[(&str, &str)]) -> Vec<String> {
        let sound = [
            ("innodb_flush_log_at_trx_commit", "1"),
            ("innodb_doublewrite", "ON"),
            ("log_bin", "1"),
            ("sync_binlog", "1"),
            ("sql_mode", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"),
            ("read_only", "0"),
        ];
        let findings = judge(&sound.iter().chain(changed).copied().collect());
        let in_words = |finding: &Finding| format!("{} {}", finding.severity(), finding.subject());
        findings.iter().map(in_words).collect()
    }

    /// Security §5.2: a server that waits for its disk has nothing wrong with it, and a log that is
    /// not kept need not be written.
    #[test]
    fn a_sound_server_has_no_findings() {
        assert!(found(&[]).is_empty());
        assert!(found(&[("log_bin", "0"), ("sync_binlog", "0")]).is_empty());
    }

    /// Security §5.2: each setting that lets go of what was acknowledged is found; `sync_binlog` is
    /// 0 by MariaDB's default.
    #[test]
    fn a_server_that_does_not_wait_for_its_disk_is_found() {
        for (setting, value, expected) in [
            ("innodb_flush_log_at_trx_commit", "2", "danger"),
            ("innodb_flush_log_at_trx_commit", "0", "danger"),
            ("innodb_doublewrite", "OFF", "danger"),
            ("innodb_doublewrite", "0", "danger"),
            ("sync_binlog", "0", "warning"),
            ("sql_mode", "NO_ENGINE_SUBSTITUTION", "notice"),
            ("read_only", "1", "danger"),
            ("read_only", "ON", "danger"),
        ] {
            let found = found(&[(setting, value)]);
            assert_eq!(found, [format!("{expected} {setting}")], "{value}");
        }
    }
}
