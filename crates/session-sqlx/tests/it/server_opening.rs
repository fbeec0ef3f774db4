//! Opening a store on a server: many at once, other versions, pools that promise too little.

use std::time::Duration;

use session_core::store::{KeyInserted, RevocationVisibility, SessionScope, SessionStore};
use session_sqlx::{ConnectError, ConnectOptions, MySqlPool, PgPool, SqlxStore};
use session_testkit::store::{
    race,
    records::{
        NOW_MS, RETENTION, all_of, create, handle, key, named, names, rotation_of, session, user,
    },
};

use tokio::time;

use crate::{
    proxy::Proxy,
    servers::{Database, Opening, PATIENCE, Server},
};

/// H14, D7: first starts at once on an empty database all succeed, and make one schema and one key.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn first_starts_share_a_new_database() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let outcomes = race(40, |number| {
            let options = ConnectOptions::new(&url)
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
        for version in 1..=2 {
            let rows = format!("SELECT count(*) FROM session_schema WHERE version = {version}");
            assert_eq!(database.ask(&rows).await, 1);
        }
        assert_eq!(database.ask("SELECT count(*) FROM session_schema").await, 2);
    }
}

/// H14: a schema that a later version made is not touched, and said to be so.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_schema_on_a_server_is_refused() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = database.store().await;
        create(&store, &session("one")).await;
        database
            .run("INSERT INTO session_schema (version) VALUES (99)")
            .await;
        let refused = SqlxStore::connect(database.url().await).await.unwrap_err();
        assert!(matches!(
            refused,
            ConnectError::SchemaTooNew { found: 99, .. }
        ));
        assert!(store.get(&session("one").handle).await.unwrap().is_some());
    }
}

/// Two stores with different prefixes in one database know nothing of one another.
#[tokio::test(flavor = "multi_thread")]
async fn stores_under_different_names_are_apart() {
    for server in Server::ALL {
        let database = Database::on(server);
        let (one, options) = (database.store().await, database.options().await);
        let other = SqlxStore::connect_with(options.table_prefix("other_"))
            .await
            .unwrap();
        create(&one, &session("same")).await;
        create(&other, &session("same")).await;
        assert_eq!(
            one.revoke(&named(&["same"]), RETENTION)
                .await
                .unwrap()
                .len(),
            1
        );
        assert!(other.get(&session("same").handle).await.unwrap().is_some());
    }
}

/// H1: names that would have to be quoted are refused, and a schema where there is none.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_plain_names_are_refused() {
    for name in ["", "a;b", "A", "a.b", "\"a\""] {
        let options = ConnectOptions::new("sqlite::memory:").table_prefix(name);
        let refused = SqlxStore::connect_with(options).await.unwrap_err();
        assert!(matches!(refused, ConnectError::UnusableName), "{name}");
    }
    let options = ConnectOptions::new("sqlite::memory:").schema("a");
    let refused = SqlxStore::connect_with(options).await.unwrap_err();
    assert!(matches!(refused, ConnectError::ForeignSetting("schema")));
}

/// H2: a pool whose connections cut off what is too long is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_cuts_off_is_refused() {
    let database = Database::on(Server::MySql);
    let lax = database.url().await;
    let pool = sqlx::mysql::MySqlPoolOptions::new()
        .after_connect(|connection, _| {
            let set = sqlx::raw_sql("SET SESSION sql_mode = ''");
            Box::pin(async move { set.execute(connection).await.map(drop) })
        })
        .connect(&lax)
        .await
        .unwrap();
    let refused = SqlxStore::from_pool(MySqlPool::clone(&pool))
        .await
        .unwrap_err();
    assert!(matches!(refused, ConnectError::NotStrict));
}

/// H2: a database whose texts are not Unicode cannot keep every user's name.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_unicode_is_refused() {
    let database = Database::not_unicode();
    let refused = SqlxStore::connect(database.url().await).await.unwrap_err();
    let ConnectError::NotUnicode(encoding) = refused else {
        panic!("another error: {refused}");
    };
    assert_eq!(encoding, "SQL_ASCII");
}

/// Security §5.2: a rotation and a revocation wait for the disk, whatever the application's
/// connections are set to.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_has_waited_for_the_disk() {
    let database = Database::on(Server::Postgres);
    let pool = sqlx::postgres::PgPoolOptions::new()
        .after_connect(|connection, _| {
            let set = sqlx::raw_sql("SET synchronous_commit = off");
            Box::pin(async move { set.execute(connection).await.map(drop) })
        })
        .connect(&database.url().await)
        .await
        .unwrap();
    let store = SqlxStore::from_pool(PgPool::clone(&pool)).await.unwrap();
    for name in ["rotated", "revoked", "revoked-in"] {
        create(&store, &session(name)).await;
    }
    database
        .run(
            "CREATE TABLE seen (setting TEXT); CREATE FUNCTION see() RETURNS trigger \
             LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen \
             VALUES (current_setting('synchronous_commit')); RETURN new; END $$; \
             CREATE TRIGGER see BEFORE UPDATE ON session_sessions \
             FOR EACH ROW EXECUTE FUNCTION see(); \
             CREATE TRIGGER see BEFORE INSERT ON session_revocations \
             FOR EACH ROW EXECUTE FUNCTION see()",
        )
        .await;
    let rotation = rotation_of(&session("rotated"));
    let _verdict = store.rotate(&rotation).await.unwrap();
    store.revoke(&named(&["revoked"]), RETENTION).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    store
        .revoke_in(&mut transaction, &named(&["revoked-in"]), RETENTION)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let on = "SELECT count(*) FROM seen WHERE setting = 'on'";
    assert_eq!(database.ask(on).await, 3);
    assert_eq!(database.ask("SELECT count(*) FROM seen").await, 3);
}

/// Security §5.2: both servers keep time, and say how others' revocations are heard of.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_has_a_clock_of_its_own() {
    for server in Server::ALL {
        let database = Database::on(server);
        let poll_every = Duration::from_millis(250);
        let options = database.options().await.poll_every(poll_every);
        let store = SqlxStore::connect_with(options).await.unwrap();
        let clock_ms = store.clock_ms().await.unwrap().unwrap();
        let here = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let apart = i128::from(clock_ms) - i128::try_from(here.as_millis()).unwrap();
        assert!(apart.abs() < 60_000, "{apart}");
        assert_eq!(
            store.revocation_visibility(),
            RevocationVisibility::AnyOrder { poll_every }
        );
    }
}

/// H9: a server that takes connections and does not answer is an error in bounded time, through
/// connections of the store's own and through an application's pool.
#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for_without_end() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let through = proxy.url(&url);
        let shared = match server {
            Server::Postgres => ConnectOptions::over(PgPool::connect(&through).await.unwrap()),
            Server::MySql => ConnectOptions::over(MySqlPool::connect(&through).await.unwrap()),
        };
        proxy.hold();
        time::pause();
        for options in [shared, ConnectOptions::new(through.as_str())] {
            let opening = SqlxStore::connect_with(options);
            let opened = time::timeout(Duration::from_mins(2), opening).await;
            let refused = opened.expect("it waits for ever").unwrap_err();
            assert!(matches!(refused, ConnectError::Database(_)), "{refused:?}");
        }
        time::resume();
    }
}

/// F1, G11: opening over an application's pool that fails half-way leaves neither a lock nor a
/// transaction on its connections, and the next attempt succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_fails_leaves_nothing_on_the_pool() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        // In the way of the migration's last step.
        let in_the_way = "CREATE TABLE session_schema (version BIGINT, other INTEGER NOT NULL)";
        macro_rules! twice_over {
            ($pool:expr) => {{
                let pool = $pool;
                database.run(in_the_way).await;
                let over = || ConnectOptions::over(pool.clone()).timeout(PATIENCE);
                let refused = SqlxStore::connect_with(over()).await.unwrap_err();
                assert!(matches!(refused, ConnectError::Database(_)), "{refused:?}");
                database.run("DROP TABLE session_schema").await;
                // Elsewhere first: a lock that was left would keep this one waiting.
                let other = SqlxStore::connect_with(database.options().await);
                let other = time::timeout(Duration::from_secs(20), other).await;
                create(&other.unwrap().unwrap(), &session("one")).await;
                let store = SqlxStore::connect_with(over()).await.unwrap();
                assert!(store.get(&session("one").handle).await.unwrap().is_some());
            }};
        }
        match server {
            Server::Postgres => twice_over!(
                sqlx::postgres::PgPoolOptions::new()
                    .max_connections(1)
                    .connect(&url)
                    .await
                    .unwrap()
            ),
            Server::MySql => twice_over!(
                sqlx::mysql::MySqlPoolOptions::new()
                    .max_connections(1)
                    .after_connect(|connection, _| {
                        let set = sqlx::raw_sql("SET SESSION sql_mode = 'STRICT_ALL_TABLES'");
                        Box::pin(async move { set.execute(connection).await.map(drop) })
                    })
                    .connect(&url)
                    .await
                    .unwrap()
            ),
        }
    }
}

/// Security §5.2: a commit that waits for replicas is not cut short by the application's limit on
/// statements, which would acknowledge it unreplicated; the statements before it have our limit; and
/// whoever waits until replicas show what was written goes on doing so.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_waits_for_replicas_as_long_as_it_takes() {
    let database = Database::on(Server::Postgres);
    let pool = sqlx::postgres::PgPoolOptions::new()
        .after_connect(|connection, _| {
            let set = "SET statement_timeout = '41s'; SET synchronous_commit = remote_apply";
            let set = sqlx::raw_sql(set);
            Box::pin(async move { set.execute(connection).await.map(drop) })
        })
        .connect(&database.url().await)
        .await
        .unwrap();
    let options = ConnectOptions::over(pool).timeout(Duration::from_secs(42));
    let store = SqlxStore::connect_with(options).await.unwrap();
    for name in ["rotated", "revoked"] {
        create(&store, &session(name)).await;
    }
    database
        .run(
            "CREATE TABLE seen (moment TEXT, timeout TEXT, waits TEXT); \
             CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO seen VALUES (TG_ARGV[0], current_setting('statement_timeout'), \
             current_setting('synchronous_commit')); RETURN new; END $$; \
             CREATE TRIGGER during BEFORE UPDATE ON session_sessions \
             FOR EACH ROW EXECUTE FUNCTION see('during'); \
             CREATE TRIGGER during BEFORE INSERT ON session_revocations \
             FOR EACH ROW EXECUTE FUNCTION see('during'); \
             CREATE CONSTRAINT TRIGGER commit AFTER UPDATE ON session_sessions \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see('commit'); \
             CREATE CONSTRAINT TRIGGER commit AFTER INSERT ON session_revocations \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see('commit')",
        )
        .await;
    let rotation = rotation_of(&session("rotated"));
    let _verdict = store.rotate(&rotation).await.unwrap();
    store.revoke(&named(&["revoked"]), RETENTION).await.unwrap();
    for (moment, timeout) in [("during", "42s"), ("commit", "0")] {
        let seen = format!(
            "SELECT count(*) FROM seen WHERE moment = '{moment}' AND timeout = '{timeout}' \
             AND waits = 'remote_apply'"
        );
        assert_eq!(database.ask(&seen).await, 2, "{moment}");
    }
}

/// H14: while nodes are brought up to date one by one, a column that a newer one added disturbs no
/// older one, whose statements were prepared before.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_a_later_version_adds_disturbs_nobody() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = SqlxStore::connect_with(database.options().await.connections(1))
            .await
            .unwrap();
        create(&store, &session("one")).await;
        let _inserted = store.insert_key(&key("d-1", 0), 0).await.unwrap();
        let everybody = all_of("ann");
        for round in 0..2 {
            assert!(store.get(&handle("one")).await.unwrap().is_some());
            assert_eq!(store.load_keys().await.unwrap().len(), 1);
            let listed = store.list(&everybody, NOW_MS, None, 9).await.unwrap();
            assert!(listed == [session("one")]);
            if round == 0 {
                for table in ["session_sessions", "session_keys", "session_revocations"] {
                    let add = format!("ALTER TABLE {table} ADD COLUMN later INTEGER");
                    database.run(&add).await;
                }
            }
        }
    }
}

/// A server that replicates the text of statements is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_statements_is_refused() {
    let database = Database::on(Server::MySql);
    let pool = pool_with(
        &database,
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES', binlog_format = 'STATEMENT'",
    );
    let refused = SqlxStore::from_pool(pool.await).await.unwrap_err();
    assert!(
        matches!(refused, ConnectError::LogsStatements),
        "{refused:?}"
    );
}

/// What the application's `sql_mode` makes of `NOT` decides nothing about who is spared.
#[tokio::test(flavor = "multi_thread")]
async fn the_spared_session_is_spared_under_any_mode() {
    let database = Database::on(Server::MySql);
    let pool = pool_with(
        &database,
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,HIGH_NOT_PRECEDENCE'",
    );
    let options = ConnectOptions::over(pool.await).timeout(PATIENCE);
    let store = SqlxStore::connect_with(options).await.unwrap();
    for name in ["spared", "other"] {
        create(&store, &session(name)).await;
    }
    let others = SessionScope::User {
        user: user("ann"),
        tenant: None,
        except: Some(handle("spared")),
    };
    let listed = store.list(&others, NOW_MS, None, 9).await.unwrap();
    assert!(listed == [session("other")]);
    let revoked = store.revoke(&others, RETENTION).await.unwrap();
    assert_eq!(names(&revoked), ["other"]);
}

async fn pool_with(database: &Database, settings: &'static str) -> MySqlPool {
    sqlx::mysql::MySqlPoolOptions::new()
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(settings).execute(connection).await.map(drop) })
        })
        .connect(&database.url().await)
        .await
        .unwrap()
}
