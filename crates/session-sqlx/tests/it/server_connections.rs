//! Connections to a server that die or are left in a bad state.

use std::time::Duration;

use session_core::store::{RevocationCursor, SessionStore, StoreError};
use session_sqlx::{ConnectOptions, SqlxStore};
use session_testkit::store::records::{
    RETENTION, all_revocations, create, handle, named, names, session,
};
use sqlx::{mysql::MySqlPoolOptions, postgres::PgPoolOptions};
use tokio::time::{self, Instant};

use crate::{
    proxy::Proxy,
    servers::{Database, Opening, PATIENCE, Server},
};

/// A look at a session is one question to the server: nobody asks in between whether the connection
/// still lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_a_session_is_one_question() {
    const LOOKS: usize = 50;
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let store = proxy.store(&url).await;
        create(&store, &session("one")).await;
        // The first one prepares the statement.
        store.get(&handle("one")).await.unwrap().unwrap();
        let before = proxy.asked();
        for _ in 0..LOOKS {
            store.get(&handle("one")).await.unwrap().unwrap();
        }
        assert_eq!(proxy.asked() - before, LOOKS, "{server:?}");
    }
}

/// G11: a call is given up while its `BEGIN` is on the way; no later one finds itself in that
/// transaction, and what it acknowledges is there for everybody.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_begin_that_was_given_up_is_right() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let (begin, open_transactions) = match server {
            Server::Postgres => (
                "BEGIN",
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND state LIKE 'idle in transaction%'",
            ),
            Server::MySql => (
                "START TRANSACTION",
                "SELECT count(*) FROM information_schema.innodb_trx AS trx \
                 JOIN information_schema.processlist AS process \
                 ON process.id = trx.trx_mysql_thread_id WHERE process.db = DATABASE()",
            ),
        };
        let options = ConnectOptions::new(proxy.url(&url))
            .connections(1)
            .timeout(Duration::from_secs(2));
        let store = SqlxStore::connect_with(options).await.unwrap();
        let other = database.store().await;
        for name in ["given-up", "next"] {
            create(&store, &session(name)).await;
        }
        proxy.hold_from(begin);
        let given_up = store.revoke(&named(&["given-up"]), RETENTION).await;
        assert!(matches!(given_up, Err(StoreError::Unavailable(_))));
        assert!(proxy.pass_on());

        assert!(store.get(&handle("next")).await.unwrap().is_some());
        assert_eq!(database.ask(open_transactions).await, 0);
        let revoked = store.revoke(&named(&["next"]), RETENTION).await.unwrap();
        assert_eq!(revoked.len(), 1);
        assert!(other.get(&handle("next")).await.unwrap().is_none());
        assert!(other.get(&handle("given-up")).await.unwrap().is_some());
        let (recorded, _) = all_revocations(&other, RevocationCursor::default(), 9).await;
        assert_eq!(recorded, revoked);
    }
}

/// G11: an application drops its `BEGIN` on a pool that it shares; what the store acknowledges
/// on that connection is written, and what it reads there is the present.
#[tokio::test(flavor = "multi_thread")]
async fn a_begin_that_the_application_dropped_harms_no_revocation() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let other = database.store().await;
        for name in ["one", "two"] {
            create(&other, &session(name)).await;
        }
        let proxy = Proxy::before(&url).await;
        let through = proxy.url(&url);
        macro_rules! with_a_dropped_begin {
            ($pool:expr) => {{
                let pool = $pool;
                let options = ConnectOptions::over(pool.clone()).timeout(PATIENCE);
                let store = SqlxStore::connect_with(options).await.unwrap();
                let drop_a_begin = async || {
                    proxy.hold_from("BEGIN");
                    let begin = time::timeout(Duration::from_secs(1), pool.begin()).await;
                    assert!(begin.is_err());
                    assert!(proxy.pass_on());
                };

                drop_a_begin().await;
                assert!(store.get(&handle("one")).await.unwrap().is_some());
                other.revoke(&named(&["one"]), RETENTION).await.unwrap();
                assert!(store.get(&handle("one")).await.unwrap().is_none());

                drop_a_begin().await;
                let revoked = store.revoke(&named(&["two"]), RETENTION).await.unwrap();
                assert_eq!(revoked.len(), 1);
                assert!(other.get(&handle("two")).await.unwrap().is_none());
            }};
        }
        match server {
            Server::Postgres => with_a_dropped_begin!(
                PgPoolOptions::new()
                    .max_connections(1)
                    .test_before_acquire(false)
                    .after_connect(|connection, _| {
                        let set =
                            sqlx::raw_sql("SET default_transaction_isolation = 'serializable'");
                        Box::pin(async move { set.execute(connection).await.map(drop) })
                    })
                    .connect(&through)
                    .await
                    .unwrap()
            ),
            Server::MySql => with_a_dropped_begin!(
                MySqlPoolOptions::new()
                    .max_connections(1)
                    .test_before_acquire(false)
                    .after_connect(|connection, _| {
                        let set = sqlx::raw_sql("SET SESSION sql_mode = 'STRICT_ALL_TABLES'");
                        Box::pin(async move { set.execute(connection).await.map(drop) })
                    })
                    .connect(&through)
                    .await
                    .unwrap()
            ),
        }
    }
}

/// G10: the answer to a commit is lost. The caller hears in bounded time that it is not known what
/// happened; what did happen is whole and heard of, and what follows is right.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_whole() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let limit = Duration::from_secs(2);
        let options = ConnectOptions::new(proxy.url(&url));
        let options = options.connections(1).timeout(limit);
        let store = SqlxStore::connect_with(options).await.unwrap();
        let other = database.store().await;
        for name in ["a", "b", "c"] {
            create(&store, &session(name)).await;
        }
        // The statement, and not the isolation level READ COMMITTED.
        proxy.hold_from(match server {
            Server::Postgres => "COMMIT\0",
            Server::MySql => "\x03COMMIT",
        });
        let (scope, began) = (named(&["a", "b"]), Instant::now());
        let lost = store.revoke(&scope, RETENTION).await;
        assert!(matches!(lost, Err(StoreError::Unavailable(_))));
        assert!(began.elapsed() < 2 * limit);
        assert!(proxy.pass_on());

        assert!(store.revoke(&scope, RETENTION).await.unwrap().is_empty());
        assert!(other.get(&handle("a")).await.unwrap().is_none());
        let (heard, _) = all_revocations(&other, RevocationCursor::default(), 9).await;
        assert_eq!(names(&heard), ["a", "b"]);
        assert_eq!(
            store.revoke(&named(&["c"]), RETENTION).await.unwrap().len(),
            1
        );
    }
}

/// What a server may have closed long ago is not used: connections that nobody needed for long are
/// let go, all of them at once.
#[tokio::test]
async fn connections_that_nobody_needed_for_long_are_let_go() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = database.store().await;
        create(&store, &session("one")).await;
        let one = handle("one");
        let ask = || store.get(&one);
        let four = tokio::join!(ask(), ask(), ask(), ask());
        for found in [four.0, four.1, four.2, four.3] {
            assert!(found.unwrap().is_some());
        }
        let connections = match server {
            Server::Postgres => {
                "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()"
            }
            Server::MySql => {
                "SELECT count(*) FROM information_schema.processlist \
                 WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            }
        };
        assert_eq!(database.ask(connections).await, 4, "{server:?}");
        time::pause();
        time::advance(Duration::from_hours(1)).await;
        time::resume();
        assert!(store.get(&one).await.unwrap().is_some());
        let gone = async { while database.ask(connections).await > 1 {} };
        let gone = time::timeout(PATIENCE, gone).await;
        assert!(gone.is_ok(), "{server:?}");
    }
}

/// A restarted server ends every connection; nobody notices but by the time it takes.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_are_replaced() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = database.store().await;
        for name in ["one", "two"] {
            create(&store, &session(name)).await;
        }
        for round in 0..3 {
            end_all_connections(&database).await;
            if round % 2 == 0 {
                assert!(store.get(&handle("one")).await.unwrap().is_some());
            } else {
                let revoked = store.revoke(&named(&["two"]), RETENTION).await.unwrap();
                assert_eq!(revoked.len(), 1);
            }
        }
    }
}

/// A pool of any size may have died as a whole; each connection of it is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_pool_that_died_is_replaced() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        macro_rules! all_die {
            ($options:expr) => {{
                let pool = $options
                    .max_connections(30)
                    .test_before_acquire(false)
                    .connect(&url)
                    .await
                    .unwrap();
                let options = ConnectOptions::over(pool.clone()).timeout(PATIENCE);
                let store = SqlxStore::connect_with(options).await.unwrap();
                create(&store, &session("one")).await;
                let mut all = Vec::new();
                for _ in 0..30 {
                    all.push(pool.acquire().await.unwrap());
                }
                drop(all);
                end_all_connections(&database).await;
                assert!(store.get(&handle("one")).await.unwrap().is_some());
            }};
        }
        match server {
            Server::Postgres => all_die!(PgPoolOptions::new()),
            Server::MySql => all_die!(MySqlPoolOptions::new().after_connect(|connection, _| {
                let set = sqlx::raw_sql("SET SESSION sql_mode = 'STRICT_ALL_TABLES'");
                Box::pin(async move { set.execute(connection).await.map(drop) })
            })),
        }
    }
}

/// Ends every connection to the database, and has waited for their ends on PostgreSQL. On MariaDB one
/// may have ended by itself since it was listed, which is all that 1094 (`ER_NO_SUCH_THREAD`) says.
pub(crate) async fn end_all_connections(database: &Database) {
    match database.server() {
        Server::Postgres => {
            database
                .run(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )
                .await;
        }
        Server::MySql => {
            database
                .run(
                    "BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR 1094 BEGIN END; \
                     FOR victim IN (SELECT id FROM information_schema.processlist \
                     WHERE db = DATABASE() AND id <> CONNECTION_ID()) DO \
                     EXECUTE IMMEDIATE CONCAT('KILL CONNECTION ', victim.id); END FOR; END",
                )
                .await;
        }
    }
}
