//! The file and its companions: permissions, other processes, sudden ends.

use std::{env, fs, os::unix::fs::PermissionsExt, path::Path, process::Stdio, time::Duration};

use session_core::store::{RevocationCursor, RevocationVisibility, SessionStore, Updated};
use session_sqlx::{ConnectOptions, SqlitePool, SqlxStore};
use session_testkit::store::records::{
    RETENTION, all_revocations, create, handle, named, rotation_of, session,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// The address of a database file in this folder.
pub(crate) fn url_in(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("sessions.db").display())
}

/// H18: the file and the two beside it are for their owner only.
#[tokio::test(flavor = "multi_thread")]
async fn the_files_are_private() {
    let folder = TempDir::new().unwrap();
    let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    create(&store, &session("one")).await;
    for file in ["sessions.db", "sessions.db-wal", "sessions.db-shm"] {
        assert_eq!(mode(&folder.path().join(file)), 0o600, "{file}");
    }
}

/// Permissions that somebody chose are left as they are.
#[tokio::test(flavor = "multi_thread")]
async fn permissions_of_a_file_that_is_there_stay() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("sessions.db");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let _store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    assert_eq!(mode(&file), 0o640);
}

/// H18: the file keeps a write-ahead log, and every connection waits for the disk.
#[tokio::test(flavor = "multi_thread")]
async fn the_file_keeps_a_write_ahead_log() {
    let folder = TempDir::new().unwrap();
    let _store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(journal, "wal");
}

/// Revocations of other processes are looked for at the interval that was set; nobody else can
/// write to memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_have_other_writers_and_memory_may_not() {
    let folder = TempDir::new().unwrap();
    let poll_every = Duration::from_millis(250);
    let options = ConnectOptions::new(url_in(&folder)).poll_every(poll_every);
    let file = SqlxStore::connect_with(options).await.unwrap();
    assert_eq!(
        file.revocation_visibility(),
        RevocationVisibility::CommitOrder { poll_every }
    );
    let memory = SqlxStore::connect("sqlite::memory:").await.unwrap();
    assert_eq!(
        memory.revocation_visibility(),
        RevocationVisibility::ThisProcessOnly
    );
}

/// H12, H18: a process is killed and leaves its log behind; the next one finds in it everything
/// that was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_acknowledged_is_there() {
    if let Ok(url) = env::var(DATABASE) {
        acknowledge_until_killed(url).await;
    }
    let folder = TempDir::new().unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--nocapture", "--exact"])
        .arg("files::what_a_killed_process_acknowledged_is_there")
        .env(DATABASE, url_in(&folder))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = 0;
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("acknowledged ") {
            acknowledged += 1;
        }
        if acknowledged == 40 {
            break;
        }
    }
    child.kill().await.unwrap();
    assert_eq!(acknowledged, 40);
    assert!(folder.path().join("sessions.db-wal").exists());

    let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    let (recorded, _) = all_revocations(&store, RevocationCursor::default(), 100).await;
    for number in 0..40 {
        let revoked = handle(&format!("revoked-{number}"));
        assert!(store.get(&revoked).await.unwrap().is_none());
        assert!(recorded.iter().any(|one| one.handle == revoked));
        let rotated = handle(&format!("rotated-{number}"));
        assert_eq!(store.get(&rotated).await.unwrap().unwrap().generation, 1);
    }
    create(&store, &session("after")).await;
}

/// What the process that will be killed does, which is this test in another process.
async fn acknowledge_until_killed(url: String) {
    let store = SqlxStore::connect(url).await.unwrap();
    for number in 0.. {
        let revoked = format!("revoked-{number}");
        create(&store, &session(&revoked)).await;
        let rotated = session(&format!("rotated-{number}"));
        create(&store, &rotated).await;
        let _verdict = store.rotate(&rotation_of(&rotated)).await.unwrap();
        store.revoke(&named(&[&revoked]), RETENTION).await.unwrap();
        println!("acknowledged {number}");
    }
}

/// H17: a backup is put back into the file while a process has it open, and the numbers of what was
/// lost are given out again, up to the cursor and beyond it, before anybody looks.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_a_restored_file_gives_out_again_are_read() {
    let folder = TempDir::new().unwrap();
    let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    for name in ["one", "two"] {
        create(&store, &session(name)).await;
        store.revoke(&named(&[name]), RETENTION).await.unwrap();
    }
    let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 9).await;
    let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
    let empty = "BEGIN IMMEDIATE; DELETE FROM session_revocations; \
                 DELETE FROM sqlite_sequence; COMMIT";
    sqlx::raw_sql(empty).execute(&pool).await.unwrap();
    for (index, name) in ["three", "four", "five"].into_iter().enumerate() {
        create(&store, &session(name)).await;
        store.revoke(&named(&[name]), RETENTION).await.unwrap();
        let (heard, next) = all_revocations(&store, cursor.clone(), 9).await;
        assert_eq!(heard.len(), index + 1);
        let (heard, _) = all_revocations(&store, next, 9).await;
        assert!(heard.is_empty(), "it begins anew again and again");
    }
}

/// An application may keep its own tables in the file, whatever it does with `user_version`.
#[tokio::test(flavor = "multi_thread")]
async fn an_applications_tables_stay() {
    let folder = TempDir::new().unwrap();
    let url = format!("{}?mode=rwc", url_in(&folder));
    let pool = SqlitePool::connect(&url).await.unwrap();
    sqlx::raw_sql(
        "PRAGMA user_version = 7; CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('ann')",
    )
    .execute(&pool)
    .await
    .unwrap();
    let store = SqlxStore::connect(url_in(&folder)).await.unwrap();
    create(&store, &session("one")).await;
    let updated = store.update_data(&handle("one"), "{}").await.unwrap();
    assert_eq!(updated, Updated::Updated);
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&pool)
        .await
        .unwrap();
    let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!((version, users), (7, 1));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

const DATABASE: &str = "SESSION_SQLX_TEST_DATABASE";
