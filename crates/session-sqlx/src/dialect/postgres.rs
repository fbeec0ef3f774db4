//! PostgreSQL's statements, settings and error codes.

use std::convert::identity;

use session_core::{
    finding::Finding,
    store::{RevocationCursor, RevocationPage, StoreError},
};
use sqlx::Postgres;

use self::cursor::{Place, REVOCATIONS_SINCE};
use super::{
    ByScope, Dialect, Prepared, Purge, Script, Statements, Trouble, Value,
    drive::{binding_for, driven_by},
};
use crate::{connections::Connections, row};

/// Where revocations are told. The table's own number is what all nodes agree on, however each says
/// which schema it is in.
macro_rules! channel {
    () => {
        "'revoked_sessions_' || 'session_revocations'::regclass::oid::text"
    };
}

/// Whether the server repeats what another one does.
macro_rules! is_replica {
    () => {
        "pg_is_in_recovery()::int::bigint AS is_replica"
    };
}

mod cursor;
mod findings;

/// Unix milliseconds on the server's clock.
macro_rules! clock_ms {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}

/// Deletes, records and tells in one statement, which sees each row once: what is deleted is
/// recorded and, when it is committed, told. What is too long for a notification is told as "read
/// the table". The rows are locked in one order, whatever the scope, so that two who end the same
/// sessions do not wait for one another. A record that an operator's hand left behind must not keep
/// a session alive, nor go unheard.
macro_rules! revoke_where {
    ($scope:expr) => {
        concat!(
            "WITH wanted AS MATERIALIZED (SELECT handle FROM session_sessions WHERE ",
            $scope,
            " ORDER BY handle FOR UPDATE), gone AS (DELETE FROM session_sessions AS session \
             WHERE session.handle = ANY (ARRAY(SELECT handle FROM wanted)) \
             RETURNING session.handle, GREATEST($2, session.access_expires_at_ms + LEAST($1, \
             9223372036854775807 - GREATEST(session.access_expires_at_ms, 0))) AS expires_at_ms), \
             noted AS (INSERT INTO session_revocations AS known (handle, expires_at_ms) \
             SELECT handle, expires_at_ms FROM gone \
             ON CONFLICT (handle) DO UPDATE SET expires_at_ms = \
             GREATEST(known.expires_at_ms, excluded.expires_at_ms), \
             written_by = excluded.written_by RETURNING handle, expires_at_ms), \
             told AS (SELECT pg_notify(",
            channel!(),
            ", CASE WHEN octet_length(list) < 8000 THEN list ELSE '' END)::text FROM \
             (SELECT json_agg(json_build_array(handle, expires_at_ms))::text AS list FROM noted \
             HAVING count(*) > 0) AS lists) SELECT handle, expires_at_ms FROM noted, told"
        )
    };
}

/// The commit of the transaction at hand waits for the disk at least.
macro_rules! wait_for_the_disk {
    () => {
        "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
         WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)"
    };
}

/// A condition that is always met: the statement is carried out in a transaction that waits for the
/// disk, also when it is one by itself. Behind a pooler in transaction mode, what a connection was set
/// to says nothing. Asked once, before any row is looked for.
macro_rules! durably {
    () => {
        concat!("(", wait_for_the_disk!(), ") IS NOT NULL")
    };
}

/// The handles of a list, as an array: its length is not estimated, so an index is used.
macro_rules! handle_in {
    ($list:literal) => {
        concat!(
            "handle = ANY (ARRAY(SELECT json_array_elements_text(",
            $list,
            "::json)))"
        )
    };
}

macro_rules! list_where {
    ($scope:expr, $now:literal, $from:literal, $created:literal, $handle:literal, $limit:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            " FROM session_sessions WHERE ",
            $scope,
            " AND expires_at_ms > ",
            $now,
            " AND created_at_ms >= ",
            $from,
            " AND (created_at_ms, handle) > (",
            $created,
            ", ",
            $handle,
            ") ORDER BY created_at_ms, handle LIMIT ",
            $limit
        )
    };
}

impl Dialect for Postgres {
    const STATEMENTS: Statements = Statements {
        create: concat!(
            "INSERT INTO session_sessions (handle, tenant, user_id, generation, secret_hash, \
             refresh_key, rotations, payload, payload_version, data, created_at_ms, \
             refreshed_at_ms, expires_at_ms, absolute_expires_at_ms, access_expires_at_ms) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 \
             WHERE NOT EXISTS (SELECT 1 FROM session_revocations WHERE handle = $16) AND ",
            durably!(),
            " ON CONFLICT (handle) DO NOTHING"
        ),
        get: of_server!(session_columns!(), "session_sessions", "handle = $1"),
        rotate: concat!(
            "UPDATE session_sessions SET generation = $1, secret_hash = $2, refresh_key = $3, \
             rotations = $4, refreshed_at_ms = $5, expires_at_ms = $6, \
             access_expires_at_ms = GREATEST(access_expires_at_ms, $7) \
             WHERE handle = $8 AND generation = $9 AND expires_at_ms > $10 AND ",
            durably!()
        ),
        update_payload: concat!(
            "UPDATE session_sessions SET payload_version = $1, payload = $2 \
             WHERE handle = $3 AND payload_version = $4 AND ",
            durably!()
        ),
        update_data: concat!(
            "UPDATE session_sessions SET data = $1 WHERE handle = $2 AND ",
            durably!()
        ),
        revoke: ByScope {
            handles: revoke_where!(handle_in!("$3")),
            user: revoke_where!(
                "user_id = $3 AND tenant = COALESCE($4, tenant) AND handle IS DISTINCT FROM $5"
            ),
            tenant: revoke_where!("tenant = $3"),
        },
        revoke_rest: &[],
        revoke_anew: None,
        list: ByScope {
            handles: list_where!(handle_in!("$1"), "$2", "$3", "$4", "$5", "$6"),
            user: list_where!(
                "user_id = $1 AND tenant = COALESCE($2, tenant) AND handle IS DISTINCT FROM $3",
                "$4",
                "$5",
                "$6",
                "$7",
                "$8"
            ),
            tenant: list_where!("tenant = $1", "$2", "$3", "$4", "$5", "$6"),
        },
        load_keys: concat!(
            of_server!(key_columns!(), "session_keys", "TRUE"),
            " ORDER BY created_at_ms DESC, id"
        ),
        attend: concat!(
            "INSERT INTO session_nodes AS known (id, name, acknowledged, lease_ends_at_ms) \
             SELECT $1, $2, $3, ",
            clock_ms!(),
            " + $4 WHERE ",
            durably!(),
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
             acknowledged = GREATEST(known.acknowledged, excluded.acknowledged), \
             lease_ends_at_ms = excluded.lease_ends_at_ms"
        ),
        leave: concat!("DELETE FROM session_nodes WHERE id = $1 AND ", durably!()),
        attending: of_server!(
            "id, name, acknowledged",
            "session_nodes",
            concat!("lease_ends_at_ms > ", clock_ms!())
        ),
        barrier: of_server!("number", "session_barrier", "id = 1"),
        raise_barrier: concat!(
            "INSERT INTO session_barrier AS known (id, number) VALUES (1, ",
            clock_ms!(),
            ") ON CONFLICT (id) DO UPDATE \
             SET number = GREATEST(known.number + 1, excluded.number)"
        ),
        purge_nodes: concat!(
            "DELETE FROM session_nodes WHERE lease_ends_at_ms <= ",
            clock_ms!(),
            " AND ",
            durably!()
        ),
        lock_keys: Some("SELECT version FROM session_schema FOR UPDATE"),
        insert_key: "INSERT INTO session_keys (id, purpose, algorithm, created_at_ms, material, \
                     sealed_under) SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS \
                     (SELECT 1 FROM session_keys WHERE purpose = $7 AND created_at_ms > $8) \
                     ON CONFLICT (id) DO NOTHING",
        reseal_key: concat!(
            "UPDATE session_keys SET material = $1, sealed_under = $2 WHERE id = $3 AND ",
            durably!()
        ),
        remove_key: concat!("DELETE FROM session_keys WHERE id = $1 AND ", durably!()),
        purge_sessions: Purge {
            look: None,
            delete: concat!(
                "DELETE FROM session_sessions WHERE expires_at_ms <= $1 AND handle = ANY \
                 (ARRAY(SELECT handle FROM session_sessions WHERE expires_at_ms <= $1 \
                 ORDER BY expires_at_ms LIMIT $2)) AND ",
                durably!()
            ),
        },
        purge_revocations: Purge {
            look: None,
            delete: concat!(
                "DELETE FROM session_revocations WHERE expires_at_ms <= $1 \
                 AND number = ANY (ARRAY(SELECT number FROM session_revocations \
                 WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)) AND ",
                durably!()
            ),
        },
        clock: Some(concat!("SELECT ", clock_ms!(), " AS clock_ms")),
        find_schema: "SELECT 1 FROM pg_tables \
                      WHERE schemaname = COALESCE($1, current_schema()) AND tablename = $2",
        lock_schema: Some(
            "SELECT 1::bigint AS locked FROM pg_advisory_xact_lock(7310033, \
             hashtext(COALESCE($1::text, current_schema()::text) || '.' || $2::text))",
        ),
        unlock_schema: None,
        enter_schema: Some("SELECT set_config('search_path', $1, true)"),
        create_schema: "CREATE TABLE IF NOT EXISTS session_schema (version BIGINT NOT NULL)",
        schema_version: "SELECT max(version) AS version FROM session_schema",
        record_schema: "INSERT INTO session_schema (version) VALUES ($1)",
    };

    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("../../migrations/postgres/0001_sessions.sql"),
        include_str!("../../migrations/postgres/0002_nodes.sql"),
    ];

    const SCRIPT: Script = Script {
        begin: Some("BEGIN"),
        enter_schema: Some("SET LOCAL search_path TO"),
        end: Some("COMMIT"),
    };

    /// In one message: a transaction that somebody's dropped `BEGIN` left open is ended, and
    /// whatever the application's defaults are, a revocation or a rotation that was acknowledged is
    /// on the disk, and every statement sees what was committed before it.
    const BEGIN: &'static str = concat!(
        "BEGIN; ROLLBACK; BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ",
        wait_for_the_disk!()
    );
    const AROUND: Option<[&'static str; 2]> = None;
    const BEGIN_MIGRATION: &'static str = "BEGIN; ROLLBACK; BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
         SET LOCAL statement_timeout = '30s'";
    const COMMIT_DURABLY: Option<&'static str> = Some(wait_for_the_disk!());
    const LIMIT: Option<&'static str> = Some("SELECT set_config('statement_timeout', $1, true)");
    const UNLIMITED: Option<&'static str> = Some("SET LOCAL statement_timeout = 0");
    const ASK_SNAPSHOT: Option<&'static str> = Some(
        "SELECT (current_setting('transaction_isolation') IN ('repeatable read', 'serializable'))\
         ::int::bigint AS is_fixed",
    );
    const ASK_REPLICA: Option<&'static str> = Some(concat!("SELECT ", is_replica!()));
    /// `ROLLBACK` alone makes the server write a warning when there is nothing to end.
    const CLEAR: Option<&'static str> = Some("BEGIN; ROLLBACK");
    /// A user or a tenant may have so many sessions that a plan for the average one, which the server
    /// makes of a statement that it knows, would read and sort them all for a page.
    const LISTS: Prepared = Prepared::Once;
    const EXPLAIN: &'static str = "EXPLAIN (COSTS OFF) ";

    fn judge(error: &sqlx::Error) -> Trouble {
        let Some(error) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => Trouble::Disconnected,
                _ => Trouble::Other,
            };
        };
        match error.code().as_deref() {
            // serialization_failure, deadlock_detected
            Some("40001" | "40P01") => Trouble::Contention,
            // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped,
            // idle_session_timeout, idle_in_transaction_session_timeout; in_failed_sql_transaction,
            // in a transaction that somebody left open; and feature_not_supported, for a transaction
            // that is to write: the server is a replica
            Some("57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "25P02" | "0A000") => {
                Trouble::Disconnected
            }
            // read_only_sql_transaction
            Some("25006") => Trouble::ReadOnly,
            // data_corrupted, index_corrupted
            Some("XX001" | "XX002") => Trouble::Corrupt,
            // connection_exception and all of its class
            Some(code) if code.starts_with("08") => Trouble::Disconnected,
            _ => Trouble::Other,
        }
    }

    async fn revocations_since(
        connections: &Connections<Self>,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        let place = Place::of(&cursor);
        let values = [
            place.transaction.into(),
            place.number.into(),
            now_ms.into(),
            limit.into(),
        ];
        let rows = connections.read_primary(REVOCATIONS_SINCE, &values).await?;
        let Some(first) = rows.first() else {
            return Err(StoreError::Corrupt("horizon"));
        };
        let server = row::place::<Self>(first, "server")?;
        let horizon = row::place::<Self>(first, "horizon")?;
        let Some(mut place) = place.on(server, horizon) else {
            return Ok(RevocationPage {
                revoked: Vec::new(),
                next: RevocationCursor::default(),
                more: true,
            });
        };
        let mut revoked = Vec::with_capacity(rows.len());
        for row in &rows {
            if row::is_absent::<Self>(row, "number")? {
                break;
            }
            revoked.push(row::revoked::<Self>(row)?);
            place.reach(
                row::place::<Self>(row, "transaction")?,
                row::place::<Self>(row, "number")?,
            );
        }
        let more = u32::try_from(revoked.len()) == Ok(limit);
        if !more {
            place.finish();
        }
        Ok(RevocationPage {
            revoked,
            next: place.into_cursor(),
            more,
        })
    }

    async fn findings(connections: &Connections<Self>) -> Result<Vec<Finding>, StoreError> {
        findings::findings(connections).await
    }

    fn following(now_ms: i64, limit: u32) -> Vec<(&'static str, Vec<Value<'static>>)> {
        let values = [0_u64.into(), 0_u64.into(), now_ms.into(), limit.into()];
        vec![(REVOCATIONS_SINCE, values.into())]
    }

    fn step(row: &Self::Row) -> Result<String, sqlx::Error> {
        Ok(Self::text(row, "QUERY PLAN")?.unwrap_or_default())
    }

    driven_by!(Postgres);
}

binding_for!(Postgres, text as identity);

/// nothing; the `channel` that revocations are told in
pub(crate) const ASK_CHANNEL: &str = concat!("SELECT ", channel!(), " AS channel");
/// a node's own channel, nonce; the same again, as it may have changed
pub(crate) const SEND_HEARTBEAT: &str = concat!(
    "SELECT ",
    channel!(),
    " AS channel, pg_notify($1, $2)::text"
);

/// Text that compares byte by byte is of no use where texts are not Unicode.
pub(crate) const ASK_ENCODING: &str = "SHOW server_encoding";
/// milliseconds
pub(crate) const SET_TIMEOUTS: &str = "SELECT set_config('statement_timeout', $1, false), \
                                       set_config('lock_timeout', $1, false)";
