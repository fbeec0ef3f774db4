//! What a database file and its place weaken of what is promised (security §5.2, H18).

use std::{
    fs,
    path::{Path, PathBuf},
};

use session_core::{
    finding::{Finding, Severity},
    store::StoreError,
};
use sqlx::Sqlite;
use tokio::task::spawn_blocking;

use crate::{connections::Connections, settings::Settings};

const ASK_SETTINGS: &str = "SELECT 'journal_mode' AS setting, journal_mode AS value \
    FROM pragma_journal_mode \
    UNION ALL SELECT 'synchronous', CAST(synchronous AS TEXT) FROM pragma_synchronous \
    UNION ALL SELECT 'file', file FROM pragma_database_list WHERE name = 'main'";

pub(super) async fn findings(
    connections: &Connections<Sqlite>,
) -> Result<Vec<Finding>, StoreError> {
    let settings = Settings::ask(connections, ASK_SETTINGS).await?;
    let file = settings.get("file");
    if file.is_empty() {
        // In memory, which is known to whoever chose it.
        return Ok(Vec::new());
    }
    let mut findings = judge(&settings);
    let path = PathBuf::from(file);
    // A mount that does not answer is not to hold up anything else.
    let found = spawn_blocking(move || [permissions(&path), mount(&path)]).await;
    let found = found.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    findings.extend(found.into_iter().flatten());
    Ok(findings)
}

fn judge(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    match settings.get("journal_mode") {
        "off" | "memory" => findings.push(
            Finding::new(
                Severity::Danger,
                "journal_mode",
                "a crash in the middle of a commit damages the database",
            )
            .with_value(settings.get("journal_mode"))
            .with_remedy("set it to wal"),
        ),
        "wal" => {}
        other => findings.push(
            Finding::new(
                Severity::Notice,
                "journal_mode",
                "whoever reads waits for whoever writes",
            )
            .with_value(other)
            .with_remedy("set it to wal"),
        ),
    }
    // Also EXTRA, which is more than FULL.
    if !matches!(settings.get("synchronous"), "2" | "3") {
        findings.push(
            Finding::new(
                Severity::Danger,
                "synchronous",
                "a crash of the machine may undo revocations that were acknowledged",
            )
            .with_value(settings.get("synchronous"))
            .with_remedy("open connections with FULL"),
        );
    }
    findings
}

/// Whoever chose wider permissions may have had a reason, so they are found and not taken away.
#[cfg(unix)]
fn permissions(path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        Finding::new(
            Severity::Warning,
            "file permissions",
            "other users of this machine can open the sessions and, unless an at-rest secret is \
             configured, the signing keys",
        )
        .with_value(octal(mode))
        .with_remedy("take them away from group and others, of the -wal and -shm files too: 600")
    })
}

#[cfg(not(unix))]
fn permissions(_: &Path) -> Option<Finding> {
    None
}

#[cfg(unix)]
fn octal(mode: u32) -> String {
    [mode >> 6, mode >> 3, mode]
        .into_iter()
        .filter_map(|digit| char::from_digit(digit & 7, 8))
        .collect()
}

/// Linux alone says what a file's folder is mounted from in a way that can be read.
fn mount(path: &Path) -> Option<Finding> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let path = fs::canonicalize(path).ok()?;
    let kind = file_system(&mounts, &path)?;
    NETWORK.contains(&kind).then(|| {
        Finding::new(
            Severity::Danger,
            "file system",
            "locks and write-ahead logs do not work over a network: two machines may damage the \
             database",
        )
        .with_value(kind)
        .with_remedy("move the file to a local disk")
    })
}

/// The kind of file system that a path is on, by the longest mount point above it; of two at one
/// point the later one hides the other.
fn file_system<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let mut found: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((before, after)) = line.split_once(" - ") else {
            continue;
        };
        let point = before.split(' ').nth(4).map(unescaped);
        let (Some(point), Some(kind)) = (point, after.split(' ').next()) else {
            continue;
        };
        if path.starts_with(&point) && found.is_none_or(|(length, _)| point.len() >= length) {
            found = Some((point.len(), kind));
        }
    }
    found.map(|(_, kind)| kind)
}

/// Mount points have their white space and backslashes in octal.
fn unescaped(point: &str) -> String {
    point
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

const NETWORK: &[&str] = &[
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "fuse.ceph-fuse",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.sshfs",
    "gfs2",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "smbfs",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(journal_mode: &str, synchronous: &str) -> Vec<String> {
        let settings = [("journal_mode", journal_mode), ("synchronous", synchronous)];
        let findings = judge(&settings.into_iter().collect());
        let in_words = |finding: &Finding| format!("{} {}", finding.severity(), finding.subject());
        findings.iter().map(in_words).collect()
    }

    /// Security §5.2: only a journal on the disk and a commit that waits for it keep the promise.
    #[test]
    fn a_file_that_is_not_written_in_time_is_found() {
        assert!(found("wal", "2").is_empty());
        assert!(found("wal", "3").is_empty());
        assert_eq!(found("wal", "1"), ["danger synchronous"]);
        assert_eq!(found("delete", "2"), ["notice journal_mode"]);
        for mode in ["off", "memory"] {
            assert_eq!(found(mode, "2"), ["danger journal_mode"]);
        }
    }

    /// H18: the file's own mount counts, not one that it is under or beside.
    #[test]
    fn a_network_mount_is_told_from_a_local_one() {
        let mounts = "22 1 0:20 / / rw - ext4 /dev/root rw\n\
                      23 22 0:21 / /data rw,relatime shared:1 - ext4 /dev/sdb rw\n\
                      24 23 0:22 / /data/far\\040away rw - nfs4 server:/x rw\n\
                      25 22 0:23 / /over rw - nfs4 server:/y rw\n\
                      26 25 0:24 / /over rw - tmpfs tmpfs rw\n";
        let on = |path: &str| file_system(mounts, Path::new(path));
        assert_eq!(on("/data/far away/sessions.db"), Some("nfs4"));
        assert_eq!(on("/data/far/sessions.db"), Some("ext4"));
        assert_eq!(on("/over/sessions.db"), Some("tmpfs"));
        assert_eq!(on("/sessions.db"), Some("ext4"));
        assert_eq!(file_system("", Path::new("/sessions.db")), None);
    }
}
