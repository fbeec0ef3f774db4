//! SQLite's statements, pragmas and error codes.

use std::convert::identity;

use session_core::{
    finding::Finding,
    store::{RevocationCursor, RevocationPage, StoreError},
};
use sqlx::{
    Sqlite,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

use super::{
    ByScope, Dialect, Prepared, Purge, Script, Statements, Trouble, Value,
    drive::{binding_for, driven_by},
};
use crate::{connections::Connections, row};

mod findings;

/// Unix milliseconds on this machine's clock.
macro_rules! clock_ms {
    () => {
        "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
    };
}

macro_rules! revoke_where {
    ($scope:literal) => {
        concat!(
            "DELETE FROM session_sessions WHERE ",
            $scope,
            " RETURNING handle, max(?2, access_expires_at_ms + \
             min(?1, 9223372036854775807 - max(access_expires_at_ms, 0))) AS expires_at_ms"
        )
    };
}

macro_rules! list_where {
    ($scope:literal, $now:literal, $created:literal, $handle:literal, $limit:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            " FROM session_sessions WHERE ",
            $scope,
            " AND expires_at_ms > ",
            $now,
            " AND (created_at_ms, handle) > (",
            $created,
            ", ",
            $handle,
            ") ORDER BY created_at_ms, handle LIMIT ",
            $limit
        )
    };
}

impl Dialect for Sqlite {
    const STATEMENTS: Statements = Statements {
        create: "INSERT INTO session_sessions (handle, tenant, user_id, generation, secret_hash, \
                 refresh_key, rotations, payload, payload_version, data, created_at_ms, \
                 refreshed_at_ms, expires_at_ms, absolute_expires_at_ms, access_expires_at_ms) \
                 SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? \
                 WHERE NOT EXISTS (SELECT 1 FROM session_revocations WHERE handle = ?) \
                 ON CONFLICT (handle) DO NOTHING",
        get: concat!(
            "SELECT ",
            session_columns!(),
            " FROM session_sessions WHERE handle = ?"
        ),
        rotate: "UPDATE session_sessions SET generation = ?, secret_hash = ?, refresh_key = ?, \
                 rotations = ?, refreshed_at_ms = ?, expires_at_ms = ?, \
                 access_expires_at_ms = max(access_expires_at_ms, ?) \
                 WHERE handle = ? AND generation = ? AND expires_at_ms > ?",
        update_payload: "UPDATE session_sessions SET payload_version = ?, payload = ? \
                         WHERE handle = ? AND payload_version = ?",
        update_data: "UPDATE session_sessions SET data = ? WHERE handle = ?",
        revoke: ByScope {
            handles: revoke_where!("handle IN (SELECT value FROM json_each(?3))"),
            user: revoke_where!(
                "user_id = ?3 AND tenant = COALESCE(?4, tenant) AND handle IS NOT ?5"
            ),
            tenant: revoke_where!("tenant = ?3"),
        },
        // OR REPLACE: a record that an operator's hand left behind must not keep a session alive.
        revoke_rest: &[
            "INSERT OR REPLACE INTO session_revocations (handle, expires_at_ms) \
             SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)",
        ],
        revoke_anew: None,
        // Where the page begins is not said twice: the optimiser would pass over the tenant.
        list: ByScope {
            handles: list_where!(
                "handle IN (SELECT value FROM json_each(?1))",
                "?2",
                "?4",
                "?5",
                "?6"
            ),
            user: list_where!(
                "user_id = ?1 AND tenant = COALESCE(?2, tenant) AND handle IS NOT ?3",
                "?4",
                "?6",
                "?7",
                "?8"
            ),
            tenant: list_where!("tenant = ?1", "?2", "?4", "?5", "?6"),
        },
        load_keys: concat!(
            "SELECT ",
            key_columns!(),
            " FROM session_keys ORDER BY created_at_ms DESC, id"
        ),
        attend: concat!(
            "INSERT INTO session_nodes (id, name, acknowledged, lease_ends_at_ms) \
             VALUES (?, ?, ?, ",
            clock_ms!(),
            " + ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
             acknowledged = max(acknowledged, excluded.acknowledged), \
             lease_ends_at_ms = excluded.lease_ends_at_ms"
        ),
        leave: "DELETE FROM session_nodes WHERE id = ?",
        attending: concat!(
            "SELECT id, name, acknowledged FROM session_nodes WHERE lease_ends_at_ms > ",
            clock_ms!()
        ),
        barrier: "SELECT number FROM session_barrier WHERE id = 1",
        raise_barrier: concat!(
            "INSERT INTO session_barrier (id, number) VALUES (1, ",
            clock_ms!(),
            ") ON CONFLICT (id) DO UPDATE SET number = max(number + 1, excluded.number)"
        ),
        purge_nodes: concat!(
            "DELETE FROM session_nodes WHERE lease_ends_at_ms <= ",
            clock_ms!()
        ),
        lock_keys: None,
        insert_key: "INSERT INTO session_keys (id, purpose, algorithm, created_at_ms, material, \
                     sealed_under) SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS \
                     (SELECT 1 FROM session_keys WHERE purpose = ? AND created_at_ms > ?) \
                     ON CONFLICT (id) DO NOTHING",
        reseal_key: "UPDATE session_keys SET material = ?, sealed_under = ? WHERE id = ?",
        remove_key: "DELETE FROM session_keys WHERE id = ?",
        purge_sessions: Purge {
            look: None,
            delete: "DELETE FROM session_sessions WHERE expires_at_ms <= ?1 AND rowid IN \
                         (SELECT rowid FROM session_sessions WHERE expires_at_ms <= ?1 \
                         ORDER BY expires_at_ms LIMIT ?2)",
        },
        purge_revocations: Purge {
            look: None,
            delete: "DELETE FROM session_revocations WHERE expires_at_ms <= ?1 AND number \
                            IN (SELECT number FROM session_revocations \
                            WHERE expires_at_ms <= ?1 ORDER BY expires_at_ms LIMIT ?2)",
        },
        // No clock but this machine's.
        clock: None,
        find_schema: "SELECT 1 FROM sqlite_master WHERE ? IS NULL AND type = 'table' AND name = ?",
        // The write lock that the transaction begins with is enough.
        lock_schema: None,
        unlock_schema: None,
        enter_schema: None,
        create_schema: "CREATE TABLE IF NOT EXISTS session_schema (version INTEGER NOT NULL) STRICT",
        schema_version: "SELECT max(version) AS version FROM session_schema",
        record_schema: "INSERT INTO session_schema (version) VALUES (?)",
    };

    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("../../migrations/sqlite/0001_sessions.sql"),
        include_str!("../../migrations/sqlite/0002_nodes.sql"),
    ];

    const SCRIPT: Script = Script {
        begin: Some("BEGIN IMMEDIATE"),
        enter_schema: None,
        end: Some("COMMIT"),
    };

    /// DEFERRED would read first and fail with `SQLITE_BUSY` when somebody else wrote meanwhile.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    /// In one question to SQLite's thread, which looks after each of its answers whether they are
    /// still wanted: who waited for a lock in vain has not written when the lock is free.
    const AROUND: Option<[&'static str; 2]> =
        Some(["BEGIN IMMEDIATE; ", "; SELECT changes() AS touched; COMMIT"]);
    const BEGIN_MIGRATION: &'static str = "BEGIN IMMEDIATE";
    const COMMIT_DURABLY: Option<&'static str> = None;
    /// One that began before another one wrote cannot write.
    const ASK_SNAPSHOT: Option<&'static str> = None;
    const LIMIT: Option<&'static str> = None;
    const UNLIMITED: Option<&'static str> = None;
    const ASK_REPLICA: Option<&'static str> = None;
    const CLEAR: Option<&'static str> = None;
    const LISTS: Prepared = Prepared::Kept;
    const EXPLAIN: &'static str = "EXPLAIN QUERY PLAN ";

    /// Writers that wait for one another wait inside SQLite, so its `SQLITE_BUSY` is final.
    fn judge(error: &sqlx::Error) -> Trouble {
        match primary_code(error) {
            Some(11 | 26) => Trouble::Corrupt, // SQLITE_CORRUPT, SQLITE_NOTADB
            _ => Trouble::Other,
        }
    }

    /// Writers take turns, so numbers are in the order of the commits. A cursor is `[number, mark]`
    /// of the last record that was read; when it is not in its place, it was purged, or a backup was
    /// restored that gives its number out again, and the list is read from its beginning.
    async fn revocations_since(
        connections: &Connections<Self>,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        let (after, known) = match *cursor.0 {
            [number, mark] => (number, Some((number, mark))),
            _ => (0, None),
        };
        let asked = limit.saturating_add(u32::from(known.is_some()));
        let values = [after.into(), now_ms.into(), asked.into()];
        let rows = connections.read(REVOCATIONS_SINCE, &values).await?;
        let mut read = Vec::with_capacity(rows.len());
        for row in &rows {
            let revoked = row::revoked::<Self>(row)?;
            let number = row::place::<Self>(row, "number")?;
            read.push(((number, row::mark(&revoked)), revoked));
        }
        let first = read.first().map(|(place, _)| *place);
        if known.is_some() && first != known {
            return Ok(RevocationPage {
                revoked: Vec::new(),
                next: RevocationCursor::default(),
                more: true,
            });
        }
        let next = read.last().map(|((number, mark), _)| vec![*number, *mark]);
        let new = read.into_iter().skip(usize::from(known.is_some()));
        let revoked: Vec<_> = new.map(|(_, revoked)| revoked).collect();
        Ok(RevocationPage {
            more: u32::try_from(revoked.len()) == Ok(limit),
            revoked,
            next: RevocationCursor(next.unwrap_or_default()),
        })
    }

    async fn findings(connections: &Connections<Self>) -> Result<Vec<Finding>, StoreError> {
        findings::findings(connections).await
    }

    fn following(now_ms: i64, limit: u32) -> Vec<(&'static str, Vec<Value<'static>>)> {
        let values = [0_u64.into(), now_ms.into(), limit.into()];
        vec![(REVOCATIONS_SINCE, values.into())]
    }

    fn step(row: &Self::Row) -> Result<String, sqlx::Error> {
        Ok(Self::text(row, "detail")?.unwrap_or_default())
    }

    driven_by!(Sqlite);
}

binding_for!(Sqlite, text as identity);

const REVOCATIONS_SINCE: &str = "SELECT number, handle, expires_at_ms FROM session_revocations \
                                 WHERE number >= ?1 AND (expires_at_ms > ?2 OR number = ?1) \
                                 ORDER BY number LIMIT ?3";

/// What every connection is opened with. The journal's mode is a property of the file and set once.
pub(crate) fn settings(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.synchronous(SqliteSynchronous::Full)
}

pub(crate) const ASK_JOURNAL_MODE: &str = "PRAGMA journal_mode";
pub(crate) const SET_JOURNAL_MODE: &str = "PRAGMA journal_mode = WAL";
pub(crate) const WRITE_AHEAD_LOG: &str = "wal";
pub(crate) const ASK_SYNCHRONOUS: &str = "PRAGMA synchronous";
/// The least value of the synchronous pragma at which a commit is on the disk when it returns.
pub(crate) const FULL: i64 = 2;
/// The path of the main database, empty when it is in memory.
pub(crate) const ASK_PATH: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";

/// Whether another connection's lock was in the way (`SQLITE_BUSY`, `SQLITE_LOCKED`).
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(5 | 6))
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
