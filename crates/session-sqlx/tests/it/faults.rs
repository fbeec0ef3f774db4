//! A database in trouble: locked, full, or with rows that nobody can read.

use std::time::Duration;

use session_core::store::{Created, RevocationCursor, Rotated, SessionStore, StoreError, Updated};
use session_sqlx::{ConnectOptions, SqlitePool, SqlxStore};
use session_testkit::store::records::{
    NOW_MS, RETENTION, all_of, all_revocations, create, handle, key, named, rotation_of, session,
};
use sqlx::{
    AssertSqlSafe, Connection,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tempfile::TempDir;
use tokio::time;

use crate::files::url_in;

/// H9, F17: while another process keeps the lock, writers get an error in bounded time and readers
/// their answer; when it is gone, everything goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_kept_is_an_error_in_bounded_time() {
    let folder = TempDir::new().unwrap();
    let options = ConnectOptions::new(url_in(&folder)).timeout(Duration::from_millis(300));
    let store = SqlxStore::connect_with(options).await.unwrap();
    let row = session("one");
    create(&store, &row).await;

    let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
    let mut hostile = pool.acquire().await.unwrap();
    let lock = hostile.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for _ in 0..3 {
        let (rotated, revoked) = time::timeout(Duration::from_secs(3), async {
            let rotation = rotation_of(&row);
            let scope = named(&["one"]);
            tokio::join!(store.rotate(&rotation), store.revoke(&scope, RETENTION))
        })
        .await
        .unwrap();
        assert!(matches!(rotated, Err(StoreError::Unavailable(_))));
        assert!(matches!(revoked, Err(StoreError::Unavailable(_))));
        assert!(store.get(&row.handle).await.unwrap() == Some(row.clone()));
    }
    lock.rollback().await.unwrap();

    let rotated = until_available(async || store.rotate(&rotation_of(&row)).await).await;
    assert_eq!(rotated, Rotated::Rotated);
    let revoked = store.revoke(&named(&["one"]), RETENTION).await.unwrap();
    assert_eq!(revoked.len(), 1);
}

/// H13: a full disk is an error to the caller; what was acknowledged stays, the database is sound,
/// and when there is room again everything goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_error_and_passes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("sessions.db");
    let limited = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .pragma("max_page_count", "60");
    let pool = SqlitePoolOptions::new()
        .max_connections(2)
        .connect_with(limited)
        .await
        .unwrap();
    let store = SqlxStore::from_pool(pool.clone()).await.unwrap();

    let mut kept = Vec::new();
    let full = loop {
        let mut row = session(&format!("s-{}", kept.len()));
        row.payload = format!("{{\"filling\":\"{}\"}}", "x".repeat(8000));
        match store.create(&row).await {
            Ok(created) => assert_eq!(created, Created::Created),
            Err(full) => break full,
        }
        kept.push(row);
        assert!(kept.len() < 1000, "the disk does not fill");
    };
    assert!(matches!(full, StoreError::Unavailable(_)));
    assert!(kept.len() > 3);
    for _ in 0..5 {
        let again = store.create(&session_of_size(16_000)).await;
        assert!(matches!(again, Err(StoreError::Unavailable(_))));
    }
    for row in &kept {
        assert!(store.get(&row.handle).await.unwrap().as_ref() == Some(row));
    }
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(sound, "ok");

    // Revoking frees the rows' pages, so it is also the way out for whoever cannot add space.
    let revoked = store.revoke(&all_of("ann"), RETENTION).await.unwrap();
    assert_eq!(revoked.len(), kept.len());
    let large = session_of_size(16_000);
    assert_eq!(store.create(&large).await.unwrap(), Created::Created);
    let other = SqlxStore::connect(url_in(&folder)).await.unwrap();
    assert!(other.get(&large.handle).await.unwrap().is_some());
    let (recorded, _) = all_revocations(&other, RevocationCursor::default(), 100).await;
    assert_eq!(recorded.len(), kept.len());
}

/// F1, H12: when the database ends a transaction by itself, the call fails whole, and what follows
/// on the same connection is written and stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_the_database_ended_harms_no_other() {
    let folder = TempDir::new().unwrap();
    let in_memory = "sqlite://file:ended-by-itself?mode=memory";
    for url in [&*url_in(&folder), in_memory] {
        let store = SqlxStore::connect(url).await.unwrap();
        let pool = SqlitePool::connect(url).await.unwrap();
        sqlx::query(
            "CREATE TRIGGER refuse BEFORE INSERT ON session_revocations WHEN new.handle = 'bad' \
             BEGIN SELECT RAISE(ROLLBACK, 'refused'); END",
        )
        .execute(&pool)
        .await
        .unwrap();
        pool.close().await;

        create(&store, &session("bad")).await;
        for round in 0..3 {
            let good = session(&format!("good-{round}"));
            create(&store, &good).await;
            let refused = store.revoke(&named(&["bad"]), RETENTION).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))));
            let scope = named(&[good.handle.as_str()]);
            assert_eq!(store.revoke(&scope, RETENTION).await.unwrap().len(), 1);
        }
        let other = SqlxStore::connect(url).await.unwrap();
        let left = other.list(&all_of("ann"), NOW_MS, None, 9).await.unwrap();
        assert!(left == [session("bad")]);
        let (recorded, _) = all_revocations(&other, RevocationCursor::default(), 9).await;
        assert_eq!(recorded.len(), 3);
    }
}

/// G11, H12: a write by itself that the database refuses leaves neither a lock nor a transaction, in
/// which the next one would be acknowledged and lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_refused_harms_no_other() {
    for refusal in ["ABORT", "FAIL", "ROLLBACK"] {
        let folder = TempDir::new().unwrap();
        let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
        let other = SqlxStore::connect(url_in(&folder)).await.unwrap();
        let row = session("one");
        create(&store, &row).await;
        let refuse = format!(
            "CREATE TRIGGER refuse AFTER UPDATE ON session_sessions WHEN new.data = 'bad' \
             BEGIN SELECT RAISE({refusal}, 'refused'); END"
        );
        let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
        let refuse = sqlx::raw_sql(AssertSqlSafe(refuse)).execute(&pool).await;
        refuse.unwrap();
        for good in ["good", "better"] {
            let refused = store.update_data(&row.handle, "bad").await;
            assert!(
                matches!(refused, Err(StoreError::Unavailable(_))),
                "{refusal}: {refused:?}"
            );
            let untouched = other.get(&row.handle).await.unwrap().unwrap();
            assert!(untouched.data != "bad", "{refusal}");
            for writer in [&other, &store] {
                let updated = writer.update_data(&row.handle, good).await;
                assert_eq!(updated.unwrap(), Updated::Updated, "{refusal}");
                let kept = other.get(&row.handle).await.unwrap().unwrap();
                assert_eq!(kept.data, good, "{refusal}");
            }
        }
    }
}

/// A row that no version of ours wrote is an error that names what it is, never a panic, and does
/// not stand in the way of the others.
#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_row_is_an_error() {
    for damage in [
        "UPDATE session_sessions SET secret_hash = x'00' WHERE handle = 'bad'",
        "UPDATE session_sessions SET tenant = 'not a tenant' WHERE handle = 'bad'",
        "UPDATE session_sessions SET user_id = '' WHERE handle = 'bad'",
        "UPDATE session_sessions SET refresh_key = 'a b' WHERE handle = 'bad'",
        "UPDATE session_sessions SET rotations = 'x' WHERE handle = 'bad'",
        "UPDATE session_sessions SET payload = CAST(x'ff' AS TEXT) WHERE handle = 'bad'",
    ] {
        let folder = TempDir::new().unwrap();
        let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
        create(&store, &session("bad")).await;
        create(&store, &session("good")).await;
        let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
        sqlx::query(damage).execute(&pool).await.unwrap();

        let read = store.get(&handle("bad")).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{damage}");
        assert!(store.get(&handle("good")).await.unwrap().is_some());
        // What cannot be read can still be ended.
        let revoked = store.revoke(&named(&["bad"]), RETENTION).await.unwrap();
        assert_eq!(revoked.len(), 1);
        assert!(store.get(&handle("bad")).await.unwrap().is_none());
    }
}

/// An unreadable key is an error that says so.
#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_key_is_an_error() {
    let folder = TempDir::new().unwrap();
    let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    let _inserted = store.insert_key(&key("d-1", NOW_MS), 0).await.unwrap();
    let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
    sqlx::query("UPDATE session_keys SET purpose = 'other'")
        .execute(&pool)
        .await
        .unwrap();
    let read = store.load_keys().await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))));
}

/// A file that is no database is refused when it is opened.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let text = "not a database, but long enough to be taken for one\n".repeat(50);
    std::fs::write(folder.path().join("sessions.db"), &text).unwrap();
    assert!(SqlxStore::connect(url_in(&folder)).await.is_err());
    let after = std::fs::read_to_string(folder.path().join("sessions.db")).unwrap();
    assert_eq!(after, text);
}

fn session_of_size(bytes: usize) -> session_core::store::SessionRecord {
    session_core::store::SessionRecord {
        payload: format!("{{\"filling\":\"{}\"}}", "x".repeat(bytes)),
        ..session("large")
    }
}

/// Asks until the store answers: the last writer may still be waiting for the lock that is gone.
async fn until_available<T>(ask: impl AsyncFn() -> Result<T, StoreError>) -> T {
    for _ in 0..20 {
        match ask().await {
            Ok(answer) => return answer,
            Err(StoreError::Unavailable(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the store stays unavailable");
}
