//! SQL databases that hold many sessions already.

use std::{fs::File, str::FromStr, time::Duration};

use databases::{Database, Filling, Server};
use session_core::{UserId, store::SessionScope};
use session_sqlx::{ConnectOptions, SqlxStore};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous},
};

/// Makes a file of SQLite and fills it, row by row: its pages are as full as they are after a good
/// while. What makes a commit safe is left out, as nobody has the file before it is complete.
pub async fn file(url: &str, filling: Filling) {
    let options = SqliteConnectOptions::from_str(url).unwrap();
    let file = options.get_filename().to_owned();
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .locking_mode(SqliteLockingMode::Exclusive)
        .pragma("cache_size", CACHE);
    let mut connection = options.disable_statement_logging().connect().await.unwrap();
    for script in [tables(url), filling.script_for_sqlite()] {
        let script = sqlx::raw_sql(AssertSqlSafe(script));
        script.execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    // Or the system writes it out while something is measured.
    File::open(file).unwrap().sync_all().unwrap();
}

/// Makes the tables in a server's database and fills them, row by row: their indexes are as full as
/// they are after a good while.
pub async fn server(database: &Database, filling: Filling) {
    database.run(&tables(&database.url().await)).await;
    database.run(&filling.script(database.server())).await;
}

/// The same on PostgreSQL, with the indexes of the sessions made at the end: in a fifth of the time,
/// and as deep, though fuller.
pub async fn postgres_in_bulk(database: &Database, filling: Filling) {
    let url = database.url().await;
    database.run(&tables(&url)).await;
    let ask = async |query| Server::Postgres.ask_text(&url, query).await;
    let (indexes, secondary) = (ask(INDEXES).await, ask(SECONDARY).await);
    let script = filling.script(Server::Postgres);
    database
        .run(&format!(
            "ALTER TABLE session_sessions DROP CONSTRAINT session_sessions_pkey; \
             DROP INDEX {secondary}; {script}; SET maintenance_work_mem = '512MB'; {indexes}; \
             ALTER TABLE session_sessions ADD PRIMARY KEY USING INDEX session_sessions_pkey"
        ))
        .await;
    // As the server does by itself in time, and not while something is measured.
    database.run("VACUUM ANALYZE session_sessions").await;
    database.run("CHECKPOINT").await;
}

/// A store of one connection.
pub async fn open(url: &str) -> SqlxStore {
    let options = ConnectOptions::new(url).timeout(PATIENCE).connections(1);
    SqlxStore::connect_with(options).await.unwrap()
}

/// The scope of a user's sessions.
pub fn of_user(number: u32) -> SessionScope {
    SessionScope::User {
        user: UserId::try_from(Filling::user(number)).unwrap(),
        tenant: None,
        except: None,
    }
}

/// The script that makes the tables of a store.
fn tables(url: &str) -> String {
    ConnectOptions::new(url).migration_script(0).unwrap()
}

const PATIENCE: Duration = Duration::from_mins(10);
/// In kibibytes, when it is negative: room for the indexes of ten million sessions, whose keys come
/// in no order.
const CACHE: &str = "-3000000";
const INDEXES: &str =
    "SELECT string_agg(indexdef, '; ') FROM pg_indexes WHERE tablename = 'session_sessions'";
const SECONDARY: &str = "SELECT string_agg(indexname, ', ') FROM pg_indexes \
                         WHERE tablename = 'session_sessions' \
                         AND indexname <> 'session_sessions_pkey'";
