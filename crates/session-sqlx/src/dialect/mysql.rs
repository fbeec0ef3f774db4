//! The statements, settings and error codes of MySQL and MariaDB.

use session_core::{
    finding::Finding,
    store::{RevocationCursor, RevocationPage, StoreError},
};
use sqlx::{MySql, mysql::MySqlDatabaseError};

use super::{
    ByScope, Dialect, Prepared, Purge, Script, Statements, Trouble, Value,
    drive::{binding_for, driven_by},
};
use crate::connections::Connections;

/// Whether the server repeats what another one does.
macro_rules! is_replica {
    () => {
        "CAST(@@global.read_only NOT IN ('0', 'OFF') AS SIGNED) AS is_replica"
    };
}

mod findings;
mod gaps;

/// Unix milliseconds on the server's clock, without the hour that a local time has twice a year.
macro_rules! clock_ms {
    () => {
        "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000"
    };
}

/// Locks the rows, as MySQL has no statement that deletes and says what; the ones that follow go
/// by the handles that this one returns.
macro_rules! revoke_where {
    ($from:literal) => {
        concat!(
            "SELECT session.handle, GREATEST(session.access_expires_at_ms + \
             LEAST(?, 9223372036854775807 - GREATEST(session.access_expires_at_ms, 0)), ?) \
             AS expires_at_ms FROM ",
            $from,
            " ORDER BY session.handle FOR UPDATE"
        )
    };
}

macro_rules! record_with {
    ($verb:literal) => {
        concat!(
            $verb,
            " INTO session_revocations (handle, expires_at_ms) \
             SELECT gone.handle, gone.expires_at_ms FROM JSON_TABLE(?, '$[*]' COLUMNS \
             (handle VARBINARY(128) PATH '$[0]', expires_at_ms BIGINT PATH '$[1]')) AS gone"
        )
    };
}

macro_rules! list_where {
    ($from:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            " FROM ",
            $from,
            // Once more by itself, as rows are not compared by an index here.
            " AND session.expires_at_ms > ? AND session.created_at_ms >= ?",
            " AND (session.created_at_ms, session.handle) > (?, ?)",
            " ORDER BY session.created_at_ms, session.handle LIMIT ?"
        )
    };
}

macro_rules! by_scope {
    ($statement:ident) => {
        ByScope {
            // The handles first, then each session by its key: the optimiser reads all of a small
            // table instead, and would lock all of it.
            handles: $statement!(
                "JSON_TABLE(?, '$[*]' COLUMNS (name VARBINARY(128) PATH '$')) AS wanted \
                 STRAIGHT_JOIN session_sessions AS session FORCE INDEX (PRIMARY) \
                 ON session.handle = wanted.name WHERE TRUE"
            ),
            user: $statement!(
                "session_sessions AS session FORCE INDEX (by_user) WHERE session.user_id = ? \
                 AND session.tenant = COALESCE(?, session.tenant) AND NOT (session.handle <=> ?)"
            ),
            tenant: $statement!(
                "session_sessions AS session FORCE INDEX (by_tenant) WHERE session.tenant = ?"
            ),
        }
    };
}

/// Looks first, without a lock: what was deleted stays in the index until InnoDB cleans it up, and a
/// statement that deletes looks each such entry's row up, in every batch again.
macro_rules! purge {
    ($table:literal, $key:literal, $name:literal, $kind:literal) => {
        Purge {
            look: Some(concat!(
                "SELECT ",
                $name,
                " AS name FROM ",
                $table,
                " FORCE INDEX (by_expiry) \
                 WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?"
            )),
            delete: concat!(
                "DELETE gone FROM JSON_TABLE(?, '$[*]' COLUMNS (name ",
                $kind,
                " PATH '$')) \
                 AS expired STRAIGHT_JOIN ",
                $table,
                " AS gone FORCE INDEX (PRIMARY) \
                 ON gone.",
                $key,
                " = expired.name WHERE gone.expires_at_ms <= ?"
            ),
        }
    };
}

impl Dialect for MySql {
    const STATEMENTS: Statements = Statements {
        create: "INSERT INTO session_sessions (handle, tenant, user_id, generation, secret_hash, \
                 refresh_key, rotations, payload, payload_version, data, created_at_ms, \
                 refreshed_at_ms, expires_at_ms, absolute_expires_at_ms, access_expires_at_ms) \
                 SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM DUAL \
                 WHERE NOT EXISTS (SELECT 1 FROM session_revocations AS known \
                 WHERE known.handle = ?)",
        get: of_server!(session_columns!(), "session_sessions", "handle = ?"),
        rotate: "UPDATE session_sessions SET generation = ?, secret_hash = ?, refresh_key = ?, \
                 rotations = ?, refreshed_at_ms = ?, expires_at_ms = ?, \
                 access_expires_at_ms = GREATEST(access_expires_at_ms, ?) \
                 WHERE handle = ? AND generation = ? AND expires_at_ms > ?",
        update_payload: "UPDATE session_sessions SET payload_version = ?, payload = ? \
                         WHERE handle = ? AND payload_version = ?",
        update_data: "UPDATE session_sessions SET data = ? WHERE handle = ?",
        revoke: by_scope!(revoke_where),
        revoke_rest: &[
            "DELETE session FROM JSON_TABLE(?, '$[*]' \
             COLUMNS (handle VARBINARY(128) PATH '$[0]')) AS gone \
             STRAIGHT_JOIN session_sessions AS session FORCE INDEX (PRIMARY) \
             ON session.handle = gone.handle",
            record_with!("INSERT"),
        ],
        // Not at first: REPLACE also locks the gap behind a record that is not there, and would
        // keep other revocations waiting for an application's transaction.
        revoke_anew: Some(record_with!("REPLACE")),
        list: by_scope!(list_where),
        load_keys: concat!(
            of_server!(key_columns!(), "session_keys", "TRUE"),
            " ORDER BY created_at_ms DESC, id"
        ),
        attend: concat!(
            "INSERT INTO session_nodes (id, name, acknowledged, lease_ends_at_ms) \
             VALUES (?, ?, ?, ",
            clock_ms!(),
            " + ?) ON DUPLICATE KEY UPDATE name = VALUES(name), \
             acknowledged = GREATEST(acknowledged, VALUES(acknowledged)), \
             lease_ends_at_ms = VALUES(lease_ends_at_ms)"
        ),
        leave: "DELETE FROM session_nodes WHERE id = ?",
        attending: of_server!(
            "id, name, acknowledged",
            "session_nodes",
            concat!("lease_ends_at_ms > ", clock_ms!())
        ),
        barrier: of_server!("number", "session_barrier", "id = 1"),
        raise_barrier: concat!(
            "INSERT INTO session_barrier (id, number) VALUES (1, ",
            clock_ms!(),
            ") ON DUPLICATE KEY UPDATE number = GREATEST(number + 1, VALUES(number))"
        ),
        purge_nodes: concat!(
            "DELETE FROM session_nodes WHERE lease_ends_at_ms <= ",
            clock_ms!()
        ),
        lock_keys: Some("SELECT version FROM session_schema FOR UPDATE"),
        insert_key: "INSERT INTO session_keys (id, purpose, algorithm, created_at_ms, material, \
                     sealed_under) SELECT ?, ?, ?, ?, ?, ? FROM DUAL WHERE NOT EXISTS \
                     (SELECT 1 FROM session_keys AS present WHERE present.purpose = ? \
                     AND present.created_at_ms > ?)",
        reseal_key: "UPDATE session_keys SET material = ?, sealed_under = ? WHERE id = ?",
        remove_key: "DELETE FROM session_keys WHERE id = ?",
        purge_sessions: purge!("session_sessions", "handle", "handle", "VARBINARY(128)"),
        purge_revocations: purge!(
            "session_revocations",
            "number",
            "CAST(number AS CHAR)",
            "BIGINT"
        ),
        clock: Some(concat!("SELECT ", clock_ms!(), " AS clock_ms")),
        find_schema: "SELECT 1 FROM information_schema.tables \
                      WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?",
        lock_schema: Some(
            "SELECT CAST(GET_LOCK(MD5(CONCAT_WS('.', COALESCE(?, DATABASE()), ?)), 30) \
             AS SIGNED) AS locked",
        ),
        unlock_schema: Some("SELECT RELEASE_LOCK(MD5(CONCAT_WS('.', COALESCE(?, DATABASE()), ?)))"),
        enter_schema: None,
        create_schema: "CREATE TABLE IF NOT EXISTS session_schema \
                        (version BIGINT NOT NULL PRIMARY KEY) ENGINE = InnoDB",
        schema_version: "SELECT max(version) AS version FROM session_schema",
        record_schema: "INSERT INTO session_schema (version) VALUES (?)",
    };

    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("../../migrations/mysql/0001_sessions.sql"),
        include_str!("../../migrations/mysql/0002_nodes.sql"),
    ];

    /// Every change of a table commits by itself.
    const SCRIPT: Script = Script {
        begin: None,
        enter_schema: None,
        end: None,
    };

    /// In one message: a transaction that somebody's dropped `BEGIN` left open is ended, and every
    /// statement sees what was committed before it.
    const BEGIN: &'static str = "ROLLBACK; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; \
                                 START TRANSACTION READ WRITE";
    const AROUND: Option<[&'static str; 2]> = None;
    /// Every change of a table commits by itself; what keeps others away is `lock_schema`.
    const BEGIN_MIGRATION: &'static str = "ROLLBACK; START TRANSACTION READ WRITE";
    /// Durability is a setting of the server, which is looked at when the store is opened.
    const COMMIT_DURABLY: Option<&'static str> = None;
    /// What locks reads the present, whatever the isolation level.
    const ASK_SNAPSHOT: Option<&'static str> = None;
    const LIMIT: Option<&'static str> = None;
    const UNLIMITED: Option<&'static str> = None;
    const ASK_REPLICA: Option<&'static str> = Some(concat!("SELECT ", is_replica!()));
    const CLEAR: Option<&'static str> = Some("ROLLBACK");
    const LISTS: Prepared = Prepared::Kept;
    const EXPLAIN: &'static str = "EXPLAIN ";

    fn judge(error: &sqlx::Error) -> Trouble {
        let Some(error) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => Trouble::Disconnected,
                _ => Trouble::Other,
            };
        };
        let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() else {
            return Trouble::Other;
        };
        match error.number() {
            // ER_DUP_ENTRY
            1062 => Trouble::Taken,
            // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_CHECKREAD
            1205 | 1213 | 1020 => Trouble::Contention,
            // ER_SERVER_SHUTDOWN, ER_CONNECTION_KILLED, ER_CLIENT_INTERACTION_TIMEOUT
            1053 | 1927 | 4031 => Trouble::Disconnected,
            // ER_OPTION_PREVENTS_STATEMENT, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION,
            // ER_READ_ONLY_MODE
            1290 | 1792 | 1836 => Trouble::ReadOnly,
            // ER_NOT_KEYFILE, ER_CRASHED_ON_USAGE, ER_INDEX_CORRUPT
            1034 | 1194 | 1712 => Trouble::Corrupt,
            _ => Trouble::Other,
        }
    }

    async fn revocations_since(
        connections: &Connections<Self>,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        gaps::revocations_since(connections, &cursor, now_ms, limit).await
    }

    async fn findings(connections: &Connections<Self>) -> Result<Vec<Finding>, StoreError> {
        findings::findings(connections).await
    }

    fn following(_now_ms: i64, limit: u32) -> Vec<(&'static str, Vec<Value<'static>>)> {
        gaps::statements(limit)
    }

    fn step(row: &Self::Row) -> Result<String, sqlx::Error> {
        let columns = ["table", "type", "key", "Extra"];
        let columns = columns.map(|column| Self::text(row, column));
        let columns: Vec<_> = columns.into_iter().collect::<Result<_, _>>()?;
        Ok(columns.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    driven_by!(MySql);
}

binding_for!(MySql, text as str::as_bytes);

/// Refuse what does not fit instead of cutting it off (security F7).
pub(crate) const SET_STRICT: &str =
    "SET SESSION sql_mode = CONCAT_WS(',', @@sql_mode, 'STRICT_ALL_TABLES')";
/// What a statement outside a transaction needs to be one by itself, whatever the server's defaults:
/// it commits, and locks no more than a transaction of ours does.
pub(crate) const SET_TRANSACTIONS: &str = "SET SESSION autocommit = 1; \
     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE";
pub(crate) const ASK_STRICT: &str = "SELECT CAST(@@sql_mode LIKE '%STRICT_ALL_TABLES%' \
                                     OR @@sql_mode LIKE '%STRICT_TRANS_TABLES%' AS SIGNED)";
/// seconds
pub(crate) const SET_LOCK_TIMEOUT: &str = "SET SESSION innodb_lock_wait_timeout = ?";
pub(crate) const ASK_VERSION: &str = "SELECT VERSION()";
/// microseconds
pub(crate) const SET_MARIADB_TIMEOUT: &str = "SET SESSION max_statement_time = ? / 1000000";
/// milliseconds; for statements that read, MySQL has no other
pub(crate) const SET_MYSQL_TIMEOUT: &str = "SET SESSION max_execution_time = ?";
/// A log of statements takes none that depends on READ COMMITTED, and replays others differently.
pub(crate) const ASK_LOGS_STATEMENTS: &str = "SELECT CAST(@@binlog_format = 'STATEMENT' AS SIGNED)";
