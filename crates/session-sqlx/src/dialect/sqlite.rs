//! SQLite's statements, pragmas and error codes.

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};

use super::{ByScope, Statements};

macro_rules! delete_where {
    ($scope:literal) => {
        concat!(
            "DELETE FROM session_sessions WHERE ",
            $scope,
            " RETURNING handle, access_expires_at_ms"
        )
    };
}

macro_rules! list_where {
    ($scope:literal) => {
        concat!(
            "SELECT * FROM session_sessions WHERE ",
            $scope,
            " AND expires_at_ms > ? AND (created_at_ms, handle) > (?, ?)",
            " ORDER BY created_at_ms, handle LIMIT ?"
        )
    };
}

macro_rules! by_scope {
    ($statement:ident) => {
        ByScope {
            handles: $statement!("handle IN (SELECT value FROM json_each(?))"),
            user: $statement!("user_id = ? AND tenant = COALESCE(?, tenant) AND handle IS NOT ?"),
            tenant: $statement!("tenant = ?"),
        }
    };
}

/// Starts a transaction that writes. DEFERRED would read first and fail with `SQLITE_BUSY` when
/// somebody else wrote meanwhile.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

pub(crate) static STATEMENTS: Statements = Statements {
    create: "INSERT INTO session_sessions (handle, tenant, user_id, generation, secret_hash, \
             refresh_key, rotations, payload, payload_version, data, created_at_ms, \
             refreshed_at_ms, expires_at_ms, absolute_expires_at_ms, access_expires_at_ms) \
             SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? \
             WHERE NOT EXISTS (SELECT 1 FROM session_revocations WHERE handle = ?) \
             ON CONFLICT (handle) DO NOTHING",
    get: "SELECT * FROM session_sessions WHERE handle = ?",
    rotate: "UPDATE session_sessions SET generation = ?, secret_hash = ?, refresh_key = ?, \
             rotations = ?, refreshed_at_ms = ?, expires_at_ms = ?, \
             access_expires_at_ms = max(access_expires_at_ms, ?) \
             WHERE handle = ? AND generation = ? AND expires_at_ms > ?",
    update_payload: "UPDATE session_sessions SET payload_version = ?, payload = ? \
                     WHERE handle = ? AND payload_version = ?",
    update_data: "UPDATE session_sessions SET data = ? WHERE handle = ?",
    delete: by_scope!(delete_where),
    // OR REPLACE: a record that an operator's hand left behind must not keep a session alive.
    record: "INSERT OR REPLACE INTO session_revocations (handle, expires_at_ms) \
             SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)",
    list: by_scope!(list_where),
    revocations_since: "SELECT number, handle, expires_at_ms FROM session_revocations \
                        WHERE number > ? AND expires_at_ms > ? ORDER BY number LIMIT ?",
    load_keys: "SELECT * FROM session_keys ORDER BY created_at_ms DESC, id",
    insert_key: "INSERT INTO session_keys (id, purpose, algorithm, created_at_ms, material, \
                 sealed_under) SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS \
                 (SELECT 1 FROM session_keys WHERE purpose = ? AND created_at_ms > ?) \
                 ON CONFLICT (id) DO NOTHING",
    reseal_key: "UPDATE session_keys SET material = ?, sealed_under = ? WHERE id = ?",
    remove_key: "DELETE FROM session_keys WHERE id = ?",
    purge_sessions: "DELETE FROM session_sessions WHERE rowid IN (SELECT rowid FROM \
                     session_sessions WHERE expires_at_ms <= ? LIMIT ?) AND expires_at_ms <= ?",
    purge_revocations: "DELETE FROM session_revocations WHERE number IN (SELECT number FROM \
                        session_revocations WHERE expires_at_ms <= ? LIMIT ?) \
                        AND expires_at_ms <= ?",
    find_schema: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'session_schema'",
    create_schema: "CREATE TABLE IF NOT EXISTS session_schema (version INTEGER NOT NULL) STRICT",
    schema_version: "SELECT max(version) FROM session_schema",
    record_schema: "INSERT INTO session_schema (version) VALUES (?)",
};

/// The schema, oldest version first; version 1 is the first.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../../migrations/sqlite/0001_sessions.sql")];

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

/// Whether the file is not a sound database (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
pub(crate) fn is_corrupt(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(11 | 26))
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
