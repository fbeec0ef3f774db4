//! Writes that are one statement: a transaction by themselves, and one message to a server.

use std::time::Duration;

use servers::{Kind, OwnServer};
use session_core::store::{Created, Rotated, SessionStore, StoreError, Updated};
use session_sqlx::{ConnectOptions, SqlxStore};
use session_testkit::store::{
    race,
    records::{RETENTION, create, handle, named, node, rotated, rotation_of, session},
};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};
use tokio::time;

use crate::{
    proxy::Proxy,
    server_connections::end_all_connections,
    servers::{Database, Opening, PATIENCE, Server},
};

/// A write is one question to the server: it begins and commits by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_one_question() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let store = proxy.store(&url).await;
        let rows = ["one", "two", "three"].map(session);
        for row in &rows {
            create(&store, row).await;
        }
        let mut rows = rows.iter();
        let mut writes = async || {
            let row = rows.next().unwrap();
            let moved = store.rotate(&rotation_of(row)).await.unwrap();
            assert_eq!(moved, Rotated::Rotated);
            let lost = store.rotate(&rotation_of(row)).await.unwrap();
            assert_eq!(lost, Rotated::Lost);
            let data = store.update_data(&row.handle, "{}").await.unwrap();
            assert_eq!(data, Updated::Updated);
            let payload = store.update_payload(&row.handle, row.payload_version, "{}");
            assert_eq!(payload.await.unwrap(), Updated::Updated);
            let again = store.create(row).await.unwrap();
            assert_eq!(again, Created::HandleTaken);
            store.attend(&node("one"), PATIENCE).await.unwrap();
        };
        // The first ones prepare the statements.
        writes().await;
        let before = proxy.asked();
        writes().await;
        writes().await;
        assert_eq!(proxy.asked() - before, 2 * 6, "{server:?}");
    }
}

/// A revocation is no more questions than it has statements, a beginning and an end.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_asks_for_nothing_beside_itself() {
    for (server, questions) in [(Server::Postgres, 3), (Server::MySql, 5)] {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let store = proxy.store(&url).await;
        for name in ["one", "two"] {
            create(&store, &session(name)).await;
        }
        // The first one prepares the statements.
        store.revoke(&named(&["one"]), RETENTION).await.unwrap();
        let before = proxy.asked();
        let revoked = store.revoke(&named(&["two"]), RETENTION).await.unwrap();
        assert_eq!(revoked.len(), 1);
        assert_eq!(proxy.asked() - before, questions, "{server:?}");
    }
}

/// G10: the answer to a write is lost with its connection. What became of it is not known, so the
/// caller hears of it, and it is not made a second time.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_not_made_again() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let store = proxy.store(&url).await;
        let other = database.store().await;
        let row = session("one");
        create(&store, &row).await;
        // Prepares the statement.
        let first = rotation_of(&row);
        assert_eq!(store.rotate(&first).await.unwrap(), Rotated::Rotated);
        let row = rotated(&row, &first);
        let rotation = rotation_of(&row);
        proxy.hold();
        let meanwhile = async {
            while other.get(&row.handle).await.unwrap() != Some(rotated(&row, &rotation)) {}
            proxy.cut();
        };
        let (lost, ()) = tokio::join!(store.rotate(&rotation), meanwhile);
        assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");

        assert!(!proxy.pass_on());
        assert_eq!(store.rotate(&rotation).await.unwrap(), Rotated::Lost);
        let next = rotation_of(&rotated(&row, &rotation));
        assert_eq!(store.rotate(&next).await.unwrap(), Rotated::Rotated);
    }
}

/// A connection that died while nobody used it is replaced before a write is on its way.
#[tokio::test]
async fn a_write_on_a_connection_that_died_idle_is_made() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = database.store().await;
        let row = session("one");
        create(&store, &row).await;
        end_all_connections(&database).await;
        time::pause();
        time::advance(Duration::from_mins(1)).await;
        time::resume();
        let moved = store.rotate(&rotation_of(&row)).await;
        assert_eq!(moved.unwrap(), Rotated::Rotated, "{server:?}");
    }
}

/// Security §5.2, F17: whatever the database is set to that a connection does not hear of, as behind a
/// pooler in transaction mode, what is acknowledged has waited for the disk, and of those who rotate
/// at the same time one wins and the others are told.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_default_of_the_database_weakens_a_write() {
    let database = Database::on(Server::Postgres);
    for setting in [
        "synchronous_commit = off",
        "default_transaction_isolation = serializable",
    ] {
        set_for_all(&database, setting).await;
    }
    let store = database.store().await;
    database
        .run(
            "CREATE TABLE seen (setting TEXT); CREATE FUNCTION see() RETURNS trigger \
             LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen \
             VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$",
        )
        .await;
    for table in ["sessions", "revocations", "keys", "nodes"] {
        let see = format!(
            "CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON session_{table} \
             FOR EACH ROW EXECUTE FUNCTION see()"
        );
        database.run(&see).await;
    }
    let row = session("one");
    create(&store, &row).await;
    let verdicts = race(8, |_| {
        let (store, rotation) = (store.clone(), rotation_of(&row));
        async move { store.rotate(&rotation).await.unwrap() }
    })
    .await;
    let moved = verdicts.iter().filter(|one| **one == Rotated::Rotated);
    assert_eq!(moved.count(), 1, "{verdicts:?}");
    let payload = store.update_payload(&row.handle, row.payload_version, "{}");
    assert_eq!(payload.await.unwrap(), Updated::Updated);
    let _updated = store.update_data(&row.handle, "{}").await.unwrap();
    let key = session_testkit::store::records::key("one", 0);
    let _inserted = store.insert_key(&key, 0).await.unwrap();
    let _sealed = store.reseal_key(&key).await.unwrap();
    let _removed = store.remove_key(&key.id).await.unwrap();
    store.attend(&node("one"), PATIENCE).await.unwrap();
    store.leave(&node("one").id).await.unwrap();
    store.attend(&node("two"), Duration::ZERO).await.unwrap();
    create(&store, &session("two")).await;
    let revoked = store.revoke(&named(&["two"]), RETENTION).await.unwrap();
    assert_eq!(revoked.len(), 1);
    let purged = store.purge_expired(i64::MAX, 9).await.unwrap();
    assert_eq!((purged.sessions, purged.revocations), (1, 1));
    let on = "SELECT count(*) FROM seen WHERE setting = 'on'";
    let all = "SELECT count(*) FROM seen";
    // Of sessions 2 made, 3 changed, 2 deleted; of records 2, of keys 3, of nodes 4.
    assert_eq!(database.ask(all).await, 7 + 2 + 3 + 4);
    assert_eq!(database.ask(on).await, 7 + 2 + 3 + 4);
}

/// A database whose transactions only read by default is one to be written to.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_by_default_is_written_to() {
    let database = Database::on(Server::Postgres);
    set_for_all(&database, "default_transaction_read_only = on").await;
    let store = database.store().await;
    let row = session("one");
    create(&store, &row).await;
    let moved = store.rotate(&rotation_of(&row)).await.unwrap();
    assert_eq!(moved, Rotated::Rotated);
}

/// What every connection to the database is set to from then on.
async fn set_for_all(database: &Database, setting: &str) {
    let set = format!(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting}', current_database()); END $$"
    );
    database.run(&set).await;
}

/// Security §5.2: a commit that waits for replicas waits on when the time of a statement is up, and is
/// not acknowledged: neither a statement's by itself, nor that of several.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_waits_for_a_replica_is_not_acknowledged() {
    let mut server = OwnServer::start(Kind::Postgres).unwrap();
    let options = ConnectOptions::new(server.url()).timeout(Duration::from_secs(1));
    let store = SqlxStore::connect_with(options).await.unwrap();
    let rows = ["rotated", "revoked"].map(session);
    for row in &rows {
        create(&store, row).await;
    }
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    sqlx::raw_sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        .execute(&mut connection)
        .await
        .unwrap();
    // It is all of the server that has to hear of it.
    server.kill().unwrap();
    server.start_again().unwrap();
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    assert!(store.get(&handle("rotated")).await.unwrap().is_some());
    let rotated = store.rotate(&rotation_of(&rows[0])).await;
    assert!(
        matches!(rotated, Err(StoreError::Unavailable(_))),
        "{rotated:?}"
    );
    let revoked = store.revoke(&named(&["revoked"]), RETENTION).await;
    assert!(
        matches!(revoked, Err(StoreError::Unavailable(_))),
        "{revoked:?}"
    );
    // Longer than any limit of theirs.
    sqlx::raw_sql("SELECT pg_sleep(2)")
        .execute(&mut connection)
        .await
        .unwrap();
    let waiting: i64 = sqlx::query_scalar(waits)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(waiting, 2);
}

/// G11: a server whose connections commit nothing by themselves keeps what is acknowledged, and says
/// what is there now.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_commits_nothing_by_itself_is_told_to() {
    let server = OwnServer::start(Kind::MariaDb).unwrap();
    let mut connection = MySqlConnection::connect(server.url()).await.unwrap();
    for set in [
        "SET GLOBAL autocommit = 0",
        "SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    ] {
        sqlx::raw_sql(AssertSqlSafe(set))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let open = async || {
        let options = ConnectOptions::new(server.url()).timeout(PATIENCE);
        SqlxStore::connect_with(options).await.unwrap()
    };
    let (store, other) = (open().await, open().await);
    assert!(other.get(&handle("one")).await.unwrap().is_none());
    let row = session("one");
    create(&store, &row).await;
    assert!(other.get(&handle("one")).await.unwrap().is_some());
    let rotation = rotation_of(&row);
    assert_eq!(store.rotate(&rotation).await.unwrap(), Rotated::Rotated);
    assert_eq!(other.rotate(&rotation).await.unwrap(), Rotated::Lost);
}
