//! Ending sessions inside a transaction of the application's.

use session_core::store::{RevocationCursor, SessionStore, StoreError};
use session_sqlx::{ConnectOptions, MySqlPool, OpenTransaction, PgPool, SqlitePool, SqlxStore};
use session_testkit::store::records::{
    NOW_MS, RETENTION, all_of, all_revocations, create, handle, named, names, session,
};
use sqlx::{AssertSqlSafe, Database, Executor, IntoArguments, Pool, Transaction};
use tempfile::TempDir;

use crate::{
    files::url_in,
    servers::{Database as OnServer, Opening, PATIENCE, Server},
};

/// The password is changed and the sessions are ended, on every node, or neither.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_ends_sessions_with_the_applications_transaction_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let pool = SqlitePool::connect(&format!("{}?mode=rwc", url_in(&folder)))
        .await
        .unwrap();
    let options = ConnectOptions::over(pool.clone()).timeout(PATIENCE);
    let store = SqlxStore::connect_with(options).await.unwrap();
    ends_with_the_transaction(&pool, &store, &store.clone()).await;
}

/// The password is changed and the sessions are ended, on every node, or neither.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_ends_sessions_with_the_applications_transaction_or_not_at_all() {
    let database = OnServer::on(Server::Postgres);
    let pool = PgPool::connect(&database.url().await).await.unwrap();
    let (store, other) = (database.store().await, database.store().await);
    ends_with_the_transaction(&pool, &store, &other).await;
}

/// The password is changed and the sessions are ended, on every node, or neither.
#[tokio::test(flavor = "multi_thread")]
async fn mysql_ends_sessions_with_the_applications_transaction_or_not_at_all() {
    let database = OnServer::on(Server::MySql);
    let pool = MySqlPool::connect(&database.url().await).await.unwrap();
    let (store, other) = (database.store().await, database.store().await);
    ends_with_the_transaction(&pool, &store, &other).await;
}

async fn ends_with_the_transaction<D>(pool: &Pool<D>, store: &SqlxStore, other: &SqlxStore)
where
    D: Database<Arguments: IntoArguments<D>>,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    for<'c> &'c Pool<D>: Executor<'c, Database = D>,
    for<'t> OpenTransaction<'t>: From<&'t mut Transaction<'static, D>>,
{
    let change = "UPDATE users SET password = password + 1";
    let make = "CREATE TABLE users (password INTEGER NOT NULL)";
    for statement in [make, "INSERT INTO users VALUES (1)"] {
        pool.execute(AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap();
    }
    for name in ["a", "b"] {
        create(store, &session(name)).await;
    }
    let passwords = async |expected: &str| {
        let ask = AssertSqlSafe(format!("SELECT 1 FROM users WHERE password = {expected}"));
        pool.fetch_all(ask).await.unwrap().len()
    };

    let mut undone = pool.begin().await.unwrap();
    undone.execute(change).await.unwrap();
    let revoked = store
        .revoke_in(&mut undone, &all_of("ann"), RETENTION)
        .await;
    assert_eq!(names(&revoked.unwrap()), ["a", "b"]);
    undone.rollback().await.unwrap();
    assert_eq!(passwords("1").await, 1);
    assert!(other.get(&handle("a")).await.unwrap().is_some());
    let (heard, cursor) = all_revocations(other, RevocationCursor::default(), 9).await;
    assert!(heard.is_empty());

    let mut done = pool.begin().await.unwrap();
    done.execute(change).await.unwrap();
    let revoked = store
        .revoke_in(&mut done, &named(&["a", "c"]), RETENTION)
        .await;
    let revoked = revoked.unwrap();
    assert_eq!(names(&revoked), ["a"]);
    done.commit().await.unwrap();
    assert_eq!(passwords("2").await, 1);
    assert!(other.get(&handle("a")).await.unwrap().is_none());
    let left = other.list(&all_of("ann"), NOW_MS, None, 9).await.unwrap();
    assert!(left == [session("b")]);
    let (heard, _) = all_revocations(other, cursor, 9).await;
    assert_eq!(heard, revoked);
}

/// A revocation that is committed long after one that began later was heard of is heard of, and
/// until then the sessions live.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_is_committed_late_is_heard_of() {
    let (postgres, mysql) = (OnServer::on(Server::Postgres), OnServer::on(Server::MySql));
    let pool = PgPool::connect(&postgres.url().await).await.unwrap();
    let store = postgres.store().await;
    let open = pool.begin().await.unwrap();
    committed_late(&store, open).await;
    let pool = MySqlPool::connect(&mysql.url().await).await.unwrap();
    let store = mysql.store().await;
    let open = pool.begin().await.unwrap();
    committed_late(&store, open).await;
}

async fn committed_late<D: Database>(store: &SqlxStore, mut open: Transaction<'static, D>)
where
    for<'t> OpenTransaction<'t>: From<&'t mut Transaction<'static, D>>,
{
    for name in ["slow", "soon", "later", "last"] {
        create(store, &session(name)).await;
    }
    let slow = store
        .revoke_in(&mut open, &named(&["slow"]), RETENTION)
        .await;
    assert_eq!(names(&slow.unwrap()), ["slow"]);

    let mut cursor = RevocationCursor::default();
    for name in ["soon", "later"] {
        store.revoke(&named(&[name]), RETENTION).await.unwrap();
        let (heard, next) = all_revocations(store, cursor, 1).await;
        assert!(names(&heard).contains(&name.to_owned()));
        assert!(!names(&heard).contains(&"slow".to_owned()));
        cursor = next;
    }
    assert!(store.get(&handle("slow")).await.unwrap().is_some());
    open.commit().await.unwrap();
    let (heard, cursor) = all_revocations(store, cursor, 1).await;
    assert!(names(&heard).contains(&"slow".to_owned()));
    store.revoke(&named(&["last"]), RETENTION).await.unwrap();
    let (heard, _) = all_revocations(store, cursor, 9).await;
    assert!(names(&heard).contains(&"last".to_owned()));
}

/// A transaction on another kind of database than the sessions cannot end them, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_on_another_database_is_refused() {
    let store = SqlxStore::connect("sqlite::memory:").await.unwrap();
    create(&store, &session("one")).await;
    let database = OnServer::on(Server::Postgres);
    let pool = PgPool::connect(&database.url().await).await.unwrap();
    let mut elsewhere = pool.begin().await.unwrap();
    let refused = store
        .revoke_in(&mut elsewhere, &all_of("ann"), RETENTION)
        .await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert!(store.get(&handle("one")).await.unwrap().is_some());
}

/// H17, INV-9: a transaction that sees the past would spare a session that was acknowledged since,
/// so it is refused, and nothing has happened.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_sees_the_past_is_refused() {
    let database = OnServer::on(Server::Postgres);
    let pool = PgPool::connect(&database.url().await).await.unwrap();
    let store = database.store().await;
    create(&store, &session("one")).await;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let begin = AssertSqlSafe(format!("BEGIN ISOLATION LEVEL {level}"));
        let mut transaction = pool.begin_with(begin).await.unwrap();
        let refused = store
            .revoke_in(&mut transaction, &all_of("ann"), RETENTION)
            .await;
        let Err(StoreError::Unavailable(why)) = refused else {
            panic!("taken under {level}");
        };
        assert!(why.to_string().contains("READ COMMITTED"), "{why}");
        transaction.commit().await.unwrap();
        assert!(store.get(&handle("one")).await.unwrap().is_some());
    }
}

/// H17, INV-9: where what locks sees the present, no level spares a session.
#[tokio::test(flavor = "multi_thread")]
async fn on_mysql_no_isolation_level_spares_a_session() {
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let database = OnServer::on(Server::MySql);
        let pool = MySqlPool::connect(&database.url().await).await.unwrap();
        let store = database.store().await;
        let begin = format!("SET TRANSACTION ISOLATION LEVEL {level}; START TRANSACTION");
        let mut transaction = pool.begin_with(AssertSqlSafe(begin)).await.unwrap();
        let first = "SELECT count(*) FROM session_keys";
        sqlx::raw_sql(first)
            .execute(&mut *transaction)
            .await
            .unwrap();
        create(&store, &session("late")).await;
        let revoked = store
            .revoke_in(&mut transaction, &all_of("ann"), RETENTION)
            .await;
        assert_eq!(names(&revoked.unwrap()), ["late"]);
        transaction.commit().await.unwrap();
    }
}
