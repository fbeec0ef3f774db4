//! Opening: many at once, other versions, addresses that are none.

use std::time::Duration;

use session_core::store::{KeyInserted, SessionStore};
use session_sqlx::{ConnectError, ConnectOptions, SqlitePool, SqlxStore};
use session_testkit::store::{
    race,
    records::{NOW_MS, create, key, session},
};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use tempfile::TempDir;

use crate::files::url_in;

/// H14, D7: a hundred first starts on a file that is not there yet all succeed, and make one schema
/// and one key.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_first_starts_share_a_new_file() {
    let folder = TempDir::new().unwrap();
    let outcomes = race(100, |number| {
        let options = ConnectOptions::new(url_in(&folder))
            .connections(1)
            .timeout(Duration::from_secs(30));
        async move {
            let store = SqlxStore::connect_with(options).await.unwrap();
            let key = key(&format!("d-{number}"), NOW_MS);
            store.insert_key(&key, NOW_MS - 1).await.unwrap()
        }
    })
    .await;
    let inserted = outcomes.iter().filter(|one| **one == KeyInserted::Inserted);
    assert_eq!(inserted.count(), 1);
    let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
    let versions: Vec<i64> = sqlx::query_scalar("SELECT version FROM session_schema")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(versions, [1, 2]);
}

/// H14: a schema that a later version made is not touched, and said to be so.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_schema_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    create(&store, &session("one")).await;
    let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
    sqlx::query("INSERT INTO session_schema (version) VALUES (99)")
        .execute(&pool)
        .await
        .unwrap();
    let refused = SqlxStore::connect(url_in(&folder)).await.unwrap_err();
    assert!(matches!(
        refused,
        ConnectError::SchemaTooNew { found: 99, .. }
    ));
    assert!(store.get(&session("one").handle).await.unwrap().is_some());
}

/// A folder that is not there is an error that names the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_folder_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("missing").join("sessions.db");
    let refused = SqlxStore::connect(format!("sqlite://{}", path.display())).await;
    let ConnectError::File { path: named, .. } = refused.unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(named, path);
}

/// What is no address of a database, and a setting that would wait for ever or not at all, is
/// refused before anything is opened.
#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_sense_are_refused() {
    for url in [
        "",
        "sessions.db",
        "oracle://localhost/sessions",
        "sqlite::memory:?mode=x",
    ] {
        let refused = SqlxStore::connect(url).await.unwrap_err();
        assert!(matches!(refused, ConnectError::UnknownAddress), "{url}");
    }
    let memory = || ConnectOptions::new("sqlite::memory:");
    for options in [
        memory().timeout(Duration::ZERO),
        memory().connections(0),
        memory().poll_every(Duration::ZERO),
    ] {
        let refused = SqlxStore::connect_with(options).await.unwrap_err();
        assert!(matches!(refused, ConnectError::ZeroSetting(_)));
    }
}

/// A pool whose commits are not on the disk when they return would break every promise.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_does_not_wait_for_the_disk_is_refused() {
    let folder = TempDir::new().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("sessions.db"))
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Normal);
    let pool = SqlitePoolOptions::new()
        .connect_with(options)
        .await
        .unwrap();
    let refused = SqlxStore::from_pool(pool).await.unwrap_err();
    assert!(matches!(refused, ConnectError::NotDurable));
}

/// H18: where no write-ahead log can be kept, as on a network mount and here for want of shared
/// memory, opening fails and says why.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_write_ahead_log_is_refused() {
    let folder = TempDir::new().unwrap();
    let url = format!("{}?vfs=unix-dotfile", url_in(&folder));
    let refused = SqlxStore::connect(url).await.unwrap_err();
    let ConnectError::NoWriteAheadLog(mode) = refused else {
        panic!("another error: {refused}");
    };
    assert_eq!(mode, "delete");
}

/// Security §4: the settings are something that programs print, and the address has a password.
#[test]
fn settings_do_not_show_the_password() {
    for url in [
        "postgres://ann:canary-7f@localhost/sessions",
        "mysql://ann:canary-7f@localhost/sessions",
        "mysql://localhost/sessions?password=canary-7f",
    ] {
        let options = ConnectOptions::new(url).timeout(Duration::from_secs(7));
        let shown = format!("{options:?} {options:#?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("7s"), "{shown}");
    }
}
