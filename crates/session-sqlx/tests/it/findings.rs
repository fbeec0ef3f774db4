//! What a database says of itself, planted and found.

use std::{fs, os::unix::fs::PermissionsExt};

use session_core::{finding::Finding, store::SessionStore};
use session_sqlx::{ConnectOptions, SqlitePool, SqlxStore};
use session_testkit::store::records::{create, session};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tempfile::TempDir;

use crate::{
    files::url_in,
    proxy::Proxy,
    servers::{Database, Opening, PATIENCE, Server},
};

/// H18: a file that others can open is found while it is so.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_others_can_open_is_found() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("sessions.db");
    let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    assert!(said(&store).await.is_empty());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(said(&store).await, ["warning file permissions 644"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(said(&store).await.is_empty());
}

/// Security §5.2: an application's own pool may keep its journal in memory, and a crash would damage
/// the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_in_memory_is_found() {
    for (mode, expected) in [
        (SqliteJournalMode::Memory, "danger journal_mode memory"),
        (SqliteJournalMode::Delete, "notice journal_mode delete"),
    ] {
        let folder = TempDir::new().unwrap();
        fs::File::create(folder.path().join("sessions.db")).unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("sessions.db"))
            .synchronous(SqliteSynchronous::Full)
            .journal_mode(mode);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let store = SqlxStore::from_pool(pool).await.unwrap();
        fs::set_permissions(
            folder.path().join("sessions.db"),
            fs::Permissions::from_mode(0o600),
        )
        .unwrap();
        assert_eq!(said(&store).await, [expected]);
    }
}

/// What is in memory has nothing wrong with it that its owner does not know.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_about_memory() {
    let store = SqlxStore::connect("sqlite::memory:").await.unwrap();
    assert!(said(&store).await.is_empty());
}

/// Security §5.2: a database whose commits wait for nothing is no danger to ours, and is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_relaxed_commit_is_named() {
    let database = Database::on(Server::Postgres);
    let store = database.store().await;
    assert!(said(&store).await.is_empty());
    let url = database.url().await;
    let (_, name) = url.rsplit_once('/').unwrap();
    let relax = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    database.run(&relax).await;
    let store = database.store().await;
    assert_eq!(said(&store).await, ["notice synchronous_commit off"]);
}

/// Security §5.2, H7: what a server says of itself is asked in its own words, and what it answers is
/// judged.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_promises_less_is_found() {
    for (server, asked, answer, expected) in [
        (
            Server::MySql,
            "@@global.innodb_doublewrite",
            "'OFF'",
            "danger innodb_doublewrite off",
        ),
        (
            Server::Postgres,
            "pg_stat_replication",
            "(SELECT 1) AS one",
            "warning synchronous_standby_names empty",
        ),
    ] {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let options = ConnectOptions::new(proxy.url(&url)).timeout(PATIENCE);
        // Each question is asked anew, not by the number that it got when it was first asked.
        let open = async || SqlxStore::connect_with(options.clone()).await.unwrap();
        let expected = expected.to_owned();
        assert!(!said(&open().await).await.contains(&expected));
        proxy.replace(asked, answer);
        let store = open().await;
        create(&store, &session("one")).await;
        assert!(said(&store).await.contains(&expected), "{server:?}");
    }
}

/// Each finding as its severity, its subject and the value.
async fn said(store: &SqlxStore) -> Vec<String> {
    let findings = store.findings().await.unwrap().into_iter();
    let in_words = |finding: Finding| {
        let value = finding.value().unwrap_or("untold");
        format!("{} {} {value}", finding.severity(), finding.subject())
    };
    findings.map(in_words).collect()
}
