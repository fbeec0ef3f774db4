//! Many sessions at once: what a store's tables hold after a good while in service.

use crate::Server;

/// How much to put into the tables of `session-sqlx`, as they are named by default.
///
/// Every user has twenty sessions, spread over ninety days; a tenth of the users are in tenants of
/// their own, the others in `public`.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the words of a test")]
pub struct Filling {
    /// How many sessions that are live.
    pub sessions: u32,
    /// How many recorded revocations that are not forgotten yet.
    pub revocations: u32,
    /// How many sessions and how many revocations that have expired and are to be purged.
    pub expired: u32,
    /// The present, in Unix milliseconds.
    pub now_ms: i64,
}

impl Filling {
    /// The user with a number, of [`users`](Self::users).
    pub fn user(number: u32) -> String {
        format!("user-{number}")
    }

    /// How many users there are.
    pub fn users(&self) -> u32 {
        (self.sessions / 20).max(1)
    }

    /// The script that fills the tables on a server and tells it to look at them.
    pub fn script(&self, server: Server) -> String {
        let words = match server {
            Server::Postgres => Words {
                numbers: |last| format!("(SELECT generate_series(1, {last}::bigint) AS x)"),
                handle: "md5(concat(x, '-{}'))",
                hash: "sha256(concat(x)::bytea)",
            },
            Server::MySql => Words {
                numbers: digits,
                handle: "md5(concat(x, '-{}'))",
                hash: "unhex(sha2(x, 256))",
            },
        };
        let [sessions, revocations] = self.statements(&words);
        format!("{sessions}; {revocations}; {}", Self::look(server))
    }

    /// The statement that tells a server to look at the tables, as it does by itself in time.
    pub fn look(server: Server) -> &'static str {
        match server {
            Server::Postgres => "ANALYZE session_sessions, session_revocations",
            Server::MySql => "ANALYZE TABLE session_sessions, session_revocations",
        }
    }

    /// The script for a file of SQLite, which nobody tells to look at its tables.
    pub fn script_for_sqlite(&self) -> String {
        let words = Words {
            numbers: |last| {
                format!(
                    "(WITH RECURSIVE numbers (x) AS (SELECT 1 UNION ALL \
                     SELECT x + 1 FROM numbers WHERE x < {last}) SELECT x FROM numbers)"
                )
            },
            handle: "concat(lower(hex(randomblob(16))), '-{}')",
            hash: "randomblob(32)",
        };
        let [sessions, revocations] = self.statements(&words);
        format!("BEGIN; {sessions}; {revocations}; COMMIT;")
    }

    fn statements(&self, words: &Words) -> [String; 2] {
        let Self {
            sessions,
            revocations,
            expired,
            now_ms,
        } = *self;
        let users = self.users();
        let handle = |kind| words.handle.replace("{}", kind);
        let (session, revocation) = (handle("s"), handle("r"));
        let numbers = |last| (words.numbers)(last);
        let (rows, records) = (numbers(sessions + expired), numbers(revocations + expired));
        let hash = words.hash;
        let start = now_ms - 90 * DAY_MS;
        let step = 90 * DAY_MS / i64::from(sessions + expired).max(1);
        let rotations = rotations(now_ms);
        let later = 100 * DAY_MS;
        [
            format!(
                "INSERT INTO session_sessions (handle, tenant, user_id, generation, secret_hash, \
                 refresh_key, rotations, payload, payload_version, data, created_at_ms, \
                 refreshed_at_ms, expires_at_ms, access_expires_at_ms) SELECT {session}, \
                 CASE WHEN x % {users} % 10 = 0 THEN concat('tenant-', x % {users}) \
                 ELSE 'public' END, concat('user-', x % {users}), 8, {hash}, '{KEY}', \
                 '{rotations}', '{PAYLOAD}', 3, '{DATA}', {start} + x * {step}, \
                 {start} + x * {step} + 1, CASE WHEN x <= {expired} THEN {now_ms} - x \
                 ELSE {start} + x * {step} + {later} END, {now_ms} + x % 3600000 \
                 FROM {rows} AS numbers"
            ),
            format!(
                "INSERT INTO session_revocations (handle, expires_at_ms) SELECT {revocation}, \
                 CASE WHEN x <= {expired} THEN {now_ms} - x ELSE {now_ms} + 3600000 + x END \
                 FROM {records} AS numbers"
            ),
        ]
    }
}

/// What differs between the databases.
struct Words {
    numbers: fn(u32) -> String,
    /// Of the row `x`; `{}` stands for the kind of row.
    handle: &'static str,
    hash: &'static str,
}

/// The numbers from 1, put together from digits: a server limits how deep a query may recurse.
fn digits(last: u32) -> String {
    let places = last.to_string().len();
    let digit = "SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 \
                 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 \
                 UNION ALL SELECT 8 UNION ALL SELECT 9";
    let sum: Vec<String> = (0..places)
        .map(|place| {
            format!(
                "digit{place}.d * {}",
                10_u64.pow(u32::try_from(place).unwrap())
            )
        })
        .collect();
    let tables: Vec<String> = (0..places)
        .map(|place| format!("({digit}) AS digit{place}"))
        .collect();
    let (sum, tables) = (sum.join(" + "), tables.join(" CROSS JOIN "));
    format!("(SELECT x FROM (SELECT 1 + {sum} AS x FROM {tables}) AS counted WHERE x <= {last})")
}

/// As many rotations as a row remembers.
fn rotations(now_ms: i64) -> String {
    let entries: Vec<String> = (1..=8)
        .map(|generation| format!("{generation},{},{KEY}", now_ms - 60_000 * (9 - generation)))
        .collect();
    entries.join(" ")
}

const DAY_MS: i64 = 86_400_000;
const KEY: &str = "r-0f8fad5b";
const PAYLOAD: &str = r#"{"st-role":{"v":["member"],"t":1700000000000},"plan":"basic"}"#;
const DATA: &str = r#"{"device":"a phone"}"#;
