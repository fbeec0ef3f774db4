//! Migrations that somebody else applies: the script, and a store that requires them.

use std::fs;

use session_core::store::SessionStore;
use session_sqlx::{ConnectError, ConnectOptions, Migrations, SqlitePool, SqlxStore};
use session_testkit::store::records::{RETENTION, create, named, session};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::{
    files::url_in,
    servers::{Database, Opening, PATIENCE, Server},
};

/// H14: a store that is not to migrate changes nothing and says what is missing, and is opened when
/// it is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_behind_is_refused_and_not_touched() {
    for server in Server::ALL {
        let database = Database::on(server);
        let requiring = database.options().await.migrations(Migrations::Require);
        let refused = SqlxStore::connect_with(requiring.clone()).await;
        assert!(
            matches!(
                refused,
                Err(ConnectError::SchemaBehind { found: 0, known }) if known > 0
            ),
            "{refused:?}"
        );
        let own = match server {
            Server::Postgres => "current_schema()",
            Server::MySql => "DATABASE()",
        };
        let tables =
            format!("SELECT count(*) FROM information_schema.tables WHERE table_schema = {own}");
        assert_eq!(database.ask(&tables).await, 0);
        drop(database.store().await);
        SqlxStore::connect_with(requiring).await.unwrap();
    }
}

/// A wrong path to a file makes no file there.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_not_made() {
    let folder = TempDir::new().unwrap();
    let requiring = ConnectOptions::new(url_in(&folder)).migrations(Migrations::Require);
    let refused = SqlxStore::connect_with(requiring.clone()).await;
    assert!(
        matches!(refused, Err(ConnectError::File { .. })),
        "{refused:?}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::write(folder.path().join("sessions.db"), "").unwrap();
    let refused = SqlxStore::connect_with(requiring).await;
    let behind = matches!(refused, Err(ConnectError::SchemaBehind { found: 0, .. }));
    assert!(behind, "{refused:?}");
}

/// H14: what the script makes is what opening makes, under the names that were set.
#[tokio::test(flavor = "multi_thread")]
async fn the_script_makes_the_schema() {
    for server in Server::ALL {
        let database = Database::on(server);
        let mut options = database.options().await.table_prefix("auth_");
        if server == Server::Postgres {
            database.run("CREATE SCHEMA app").await;
            options = options.schema("app");
        }
        database.run(&options.migration_script(0).unwrap()).await;
        works(options.migrations(Migrations::Require)).await;
    }
    let folder = TempDir::new().unwrap();
    let options = ConnectOptions::new(url_in(&folder)).table_prefix("auth_");
    let script = options.migration_script(0).unwrap();
    fs::write(folder.path().join("sessions.db"), "").unwrap();
    let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(script))
        .execute(&pool)
        .await
        .unwrap();
    works(options.migrations(Migrations::Require)).await;
}

/// H14: a schema that is up to date needs nothing but the table of its version, and what comes after
/// a version that there is not nobody knows.
#[test]
fn nothing_is_left_to_do_after_the_last_version() {
    let options = ConnectOptions::new("sqlite::memory:");
    let Err(ConnectError::SchemaTooNew { known, .. }) = options.migration_script(u32::MAX) else {
        panic!("a script for a version that there is not");
    };
    let script = options.migration_script(known.try_into().unwrap()).unwrap();
    assert!(
        !script.contains("CREATE TABLE session_sessions"),
        "{script}"
    );
    assert!(!script.contains("INSERT"), "{script}");
}

/// H1: a name that is no plain name does not become part of a script.
#[test]
fn a_script_is_not_made_with_names_that_are_none() {
    let options = ConnectOptions::new("postgres://localhost/app");
    for options in [options.clone().table_prefix("a;b"), options.schema("a b")] {
        let refused = options.migration_script(0);
        assert!(matches!(refused, Err(ConnectError::UnusableName)));
    }
    let refused = ConnectOptions::new("sqlite::memory:")
        .schema("a")
        .migration_script(0);
    assert!(matches!(
        refused,
        Err(ConnectError::ForeignSetting("schema"))
    ));
    let refused = ConnectOptions::new("oracle://localhost").migration_script(0);
    assert!(matches!(refused, Err(ConnectError::UnknownAddress)));
}

async fn works(options: ConnectOptions) {
    let store = SqlxStore::connect_with(options.timeout(PATIENCE))
        .await
        .unwrap();
    create(&store, &session("one")).await;
    assert_eq!(
        store
            .revoke(&named(&["one"]), RETENTION)
            .await
            .unwrap()
            .len(),
        1
    );
}
