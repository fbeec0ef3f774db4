//! SQL databases that hold many sessions already.

use std::time::Duration;

use databases::{Database, Filling};
use session_core::{UserId, store::SessionScope};
use session_sqlx::{ConnectOptions, SqlitePool, SqlxStore};
use sqlx::AssertSqlSafe;

/// A store of one connection on a file of SQLite.
pub async fn on_a_file(url: &str, filling: Filling) -> SqlxStore {
    let store = open(url).await;
    let pool = SqlitePool::connect(url).await.unwrap();
    let script = AssertSqlSafe(filling.script_for_sqlite());
    sqlx::raw_sql(script).execute(&pool).await.unwrap();
    pool.close().await;
    store
}

/// A store of one connection on a server.
pub async fn on_a_server(database: &Database, filling: Filling) -> SqlxStore {
    let store = open(&database.url().await).await;
    database.run(&filling.script(database.server())).await;
    store
}

/// The scope of a user's sessions.
pub fn of_user(number: u32) -> SessionScope {
    SessionScope::User {
        user: UserId::try_from(Filling::user(number)).unwrap(),
        tenant: None,
        except: None,
    }
}

async fn open(url: &str) -> SqlxStore {
    let options = ConnectOptions::new(url).timeout(PATIENCE).connections(1);
    SqlxStore::connect_with(options).await.unwrap()
}

const PATIENCE: Duration = Duration::from_mins(10);
