//! What differs from one database to the next: statement text, error codes and settings.

use session_core::{
    finding::Finding,
    store::{RevocationCursor, RevocationPage, StoreError},
};
use sqlx::{Database, SqlStr};

use crate::connections::Connections;

/// The columns of a session that are read. A later version may add one while this one runs, and a
/// statement that was prepared with `*` would then fail or read it too.
macro_rules! session_columns {
    () => {
        "handle, tenant, user_id, generation, secret_hash, refresh_key, rotations, payload, \
         payload_version, data, created_at_ms, refreshed_at_ms, expires_at_ms, \
         absolute_expires_at_ms, access_expires_at_ms"
    };
}

/// The columns of a key.
macro_rules! key_columns {
    () => {
        "id, purpose, algorithm, created_at_ms, material, sealed_under"
    };
}

/// What a server keeps, and what the server is, in one statement: `is_replica`, then the columns, in
/// one row at least. Where there is nothing of the kind, they are NULL.
#[cfg(any(feature = "postgres", feature = "mysql"))]
macro_rules! of_server {
    ($columns:expr, $table:literal, $which:expr) => {
        concat!(
            "SELECT server.is_replica, ",
            $columns,
            " FROM (SELECT ",
            is_replica!(),
            ") AS server LEFT JOIN ",
            $table,
            " ON ",
            $which
        )
    };
}

mod drive;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

/// A database, as far as one has to know which it is.
pub(crate) trait Dialect: Database {
    /// Every statement.
    const STATEMENTS: Statements;
    /// The schema, oldest version first; version 1 is the first.
    const MIGRATIONS: &'static [&'static str];
    /// What a script for a person has around the migrations.
    const SCRIPT: Script;
    /// Starts a transaction that writes, whatever state the connection was left in.
    const BEGIN: &'static str;
    /// What a statement that writes stands between to be a transaction by itself, where it is to
    /// take hold of the database first and be forgotten when nobody waits for it any more; the
    /// answer is how many rows it `touched`. None where it is one as it is.
    const AROUND: Option<[&'static str; 2]>;
    /// Starts the transaction that migrations run in.
    const BEGIN_MIGRATION: &'static str;
    /// Makes the transaction at hand wait for the disk, where its default may be not to.
    const COMMIT_DURABLY: Option<&'static str>;
    /// Limits each statement of the transaction at hand, where an application's own limit may be
    /// another: milliseconds as a text.
    const LIMIT: Option<&'static str>;
    /// Ends such a limit: a commit that is given up while it waits for replicas counts as done.
    const UNLIMITED: Option<&'static str>;
    /// Asks whether the transaction at hand sees no more than was there at its first statement, and
    /// so may not see a session that it is to end: `is_fixed` = 0 or 1.
    const ASK_SNAPSHOT: Option<&'static str>;
    /// Asks whether the server only repeats what another one does, and so may be behind it or never
    /// have heard of it: `is_replica` = 0 or 1; none where there is no server.
    const ASK_REPLICA: Option<&'static str>;
    /// Ends a transaction that the driver does not know of; none where that cannot happen.
    const CLEAR: Option<&'static str>;
    /// Whether the statements that list are kept prepared.
    const LISTS: Prepared;
    /// Put before a statement, it asks how the database would carry that one out.
    const EXPLAIN: &'static str;

    /// What to do about an error of the driver.
    fn judge(error: &sqlx::Error) -> Trouble;

    /// The revocations after a cursor.
    fn revocations_since(
        connections: &Connections<Self>,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> impl Future<Output = Result<RevocationPage, StoreError>> + Send;

    /// What is wrong with the database for keeping sessions.
    fn findings(
        connections: &Connections<Self>,
    ) -> impl Future<Output = Result<Vec<Finding>, StoreError>> + Send;

    /// The statements that `revocations_since` runs, and the parameters of each.
    fn following(now_ms: i64, limit: u32) -> Vec<(&'static str, Vec<Value<'static>>)>;

    /// One line of the answer to `EXPLAIN`.
    fn step(row: &Self::Row) -> Result<String, sqlx::Error>;

    /// Runs one statement and returns its rows.
    fn fetch(
        connection: &mut Self::Connection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// As `fetch`, and forgets the statement.
    fn fetch_once(
        connection: &mut Self::Connection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// Runs one statement and returns how many rows it touched.
    fn execute(
        connection: &mut Self::Connection,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Runs a script.
    fn run(
        connection: &mut Self::Connection,
        script: SqlStr,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// A column's text, `None` for NULL.
    fn text(row: &Self::Row, column: &str) -> Result<Option<String>, sqlx::Error>;
    /// A column's number, `None` for NULL.
    fn number(row: &Self::Row, column: &str) -> Result<Option<i64>, sqlx::Error>;
    /// A column's bytes.
    fn bytes(row: &Self::Row, column: &str) -> Result<Vec<u8>, sqlx::Error>;
    /// Whether a column is NULL, whatever its type.
    fn is_null(row: &Self::Row, column: &str) -> Result<bool, sqlx::Error>;
}

/// How long a connection remembers a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prepared {
    /// For the next time.
    Kept,
    /// Not at all: it is planned for the values of this once.
    Once,
}

/// A bound parameter.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(Option<&'a str>),
    /// A text that the database reads as JSON.
    Json(&'a str),
    Number(Option<i64>),
    Bytes(&'a [u8]),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(Some(number.into()))
    }
}

/// The bits of the counter, as every database has signed integers.
impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(Some(number.cast_signed()))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

/// What an error of the driver means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Another transaction was in the way, and all of this one was undone: it may succeed when it
    /// is begun again.
    Contention,
    /// The connection is of no use any more.
    Disconnected,
    /// The transaction at hand, or the server, takes no writes: nothing was done.
    ReadOnly,
    /// A row with this key is there, in a database that cannot be asked to pass over it in silence.
    Taken,
    /// What is stored is not sound.
    Corrupt,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Whether another connection is worth a try, and this one is not.
    pub(crate) fn ends_connection(self) -> bool {
        [Self::Disconnected, Self::ReadOnly].contains(&self)
    }
}

/// The text of every statement; the parameters of each are bound in the order that its field names.
/// `get`, `load_keys`, `attending` and `barrier` also ask what the server is, where there is one.
#[derive(Debug)]
pub(crate) struct Statements {
    /// All columns of a session in their order, then the handle again. No row when it is taken.
    pub(crate) create: &'static str,
    /// handle
    pub(crate) get: &'static str,
    /// to generation, secret hash, refresh key, rotations, at, expiry, access expiry, handle, from
    /// generation, at
    pub(crate) rotate: &'static str,
    /// next version, payload, handle, expected version
    pub(crate) update_payload: &'static str,
    /// data, handle
    pub(crate) update_data: &'static str,
    /// Ends the sessions or locks them to be ended by what follows: skew, earliest end, the scope; returns
    /// handle and the expiry of the record
    pub(crate) revoke: ByScope,
    /// What is left to do with the sessions that `revoke` returned: JSON list of
    /// `[handle, expiry]`, for each statement
    pub(crate) revoke_rest: &'static [&'static str],
    /// Takes the place of one that found a record which an operator's hand left behind, and which
    /// must neither keep a session alive nor stay unheard: JSON list as above
    pub(crate) revoke_anew: Option<&'static str>,
    /// the scope, now, creation time to begin at, creation time and handle to begin after, limit
    pub(crate) list: ByScope,
    /// nothing
    pub(crate) load_keys: &'static str,
    /// id, name, acknowledged, lease in milliseconds
    pub(crate) attend: &'static str,
    /// id
    pub(crate) leave: &'static str,
    /// nothing
    pub(crate) attending: &'static str,
    /// nothing
    pub(crate) barrier: &'static str,
    /// nothing
    pub(crate) raise_barrier: &'static str,
    /// nothing; deletes nodes whose lease is over
    pub(crate) purge_nodes: &'static str,
    /// nothing; lets no other transaction past itself, where writers do not take turns anyway
    pub(crate) lock_keys: Option<&'static str>,
    /// id, purpose, algorithm, creation time, material, at-rest name, purpose, unless newer than
    pub(crate) insert_key: &'static str,
    /// material, at-rest name, id
    pub(crate) reseal_key: &'static str,
    /// id
    pub(crate) remove_key: &'static str,
    pub(crate) purge_sessions: Purge,
    pub(crate) purge_revocations: Purge,
    /// nothing; `clock_ms`, where the database's clock is not this machine's
    pub(crate) clock: Option<&'static str>,
    /// schema or NULL, name of the version's table; no row when it is not there
    pub(crate) find_schema: &'static str,
    /// schema or NULL, name of the version's table; lets one process migrate at a time, `locked` = 1
    pub(crate) lock_schema: Option<&'static str>,
    /// as `lock_schema`; undoes it where the end of the transaction does not
    pub(crate) unlock_schema: Option<&'static str>,
    /// schema; makes new tables appear in it
    pub(crate) enter_schema: Option<&'static str>,
    /// nothing; makes the table of the schema's version
    pub(crate) create_schema: &'static str,
    /// nothing; one row with the `version`, or NULL
    pub(crate) schema_version: &'static str,
    /// version
    pub(crate) record_schema: &'static str,
}

/// How a batch of what has expired is deleted from a table.
#[derive(Debug)]
pub(crate) struct Purge {
    /// now, limit; the `name` of each row to delete. Where a statement that looks for itself would
    /// stumble over what the last batches deleted
    pub(crate) look: Option<&'static str>,
    /// now, limit; after a look, the JSON list of what it found, now
    pub(crate) delete: &'static str,
}

/// What a migration script has that one of a person's own session needs.
#[derive(Debug)]
pub(crate) struct Script {
    /// Makes one change of all that follows, where the database can.
    pub(crate) begin: Option<&'static str>,
    /// followed by the schema; makes new tables appear in it
    pub(crate) enter_schema: Option<&'static str>,
    /// Ends what `begin` began.
    pub(crate) end: Option<&'static str>,
}

/// One statement for each kind of scope. Bound are the JSON list of handles; the user, the tenant
/// or NULL and the spared handle or NULL; the tenant.
#[derive(Debug)]
pub(crate) struct ByScope {
    pub(crate) handles: &'static str,
    pub(crate) user: &'static str,
    pub(crate) tenant: &'static str,
}
