//! A server in trouble: locks, deadlocks, rows that cannot be read.

use std::time::Duration;

use session_core::{
    TenantId,
    store::{RevocationCursor, Rotated, SessionRecord, SessionScope, SessionStore, StoreError},
};
use session_sqlx::SqlxStore;
use session_testkit::store::{
    race,
    records::{
        NOW_MS, RETENTION, all_of, all_revocations, create, handle, key, named, names, rotation_of,
        session,
    },
};
use sqlx::{Connection, MySqlConnection, PgConnection};
use tokio::{task, time};

use crate::{
    server_connections::end_all_connections,
    servers::{Database, Opening, Server},
};

/// F17: a transaction that the database ends in favour of another is begun anew, until it is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_lost_a_deadlock_is_begun_anew() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = database.store().await;
        for name in ["rotated", "revoked"] {
            create(&store, &session(name)).await;
        }
        fail(&database, "UPDATE ON session_sessions", 3).await;
        let rotation = rotation_of(&session("rotated"));
        assert_eq!(store.rotate(&rotation).await.unwrap(), Rotated::Rotated);
        assert_eq!(tries(&database).await, 4);

        fail(&database, "INSERT ON session_revocations", 3).await;
        let revoked = store.revoke(&named(&["revoked"]), RETENTION).await.unwrap();
        assert_eq!(revoked.len(), 1);
        assert_eq!(tries(&database).await, 4);
    }
}

/// F17: what is begun anew decides by what is there then, and ends a session that was acknowledged
/// since it was begun first.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_begun_anew_reads_anew() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = database.store().await;
        create(&store, &session("early")).await;
        fail(&database, "INSERT ON session_revocations", 1_000_000).await;
        let everything = all_of("ann");
        let enough = match server {
            Server::Postgres => "SELECT setval('tries', 2000000)",
            Server::MySql => "SELECT SETVAL(tries, 2000000)",
        };
        let meanwhile = async {
            while tries(&database).await < 2 {
                task::yield_now().await;
            }
            create(&store, &session("late")).await;
            database.ask(enough).await
        };
        let (revoked, _) = tokio::join!(store.revoke(&everything, RETENTION), meanwhile);
        assert_eq!(names(&revoked.unwrap()), ["early", "late"]);
    }
}

/// F17: trying again ends, with an error that says nothing was done.
#[tokio::test(flavor = "multi_thread")]
async fn deadlocks_without_end_are_an_error_in_bounded_time() {
    for server in Server::ALL {
        let database = Database::on(server);
        let limit = Duration::from_secs(3);
        let options = database.options().await.timeout(limit);
        let store = SqlxStore::connect_with(options).await.unwrap();
        create(&store, &session("one")).await;
        fail(&database, "INSERT ON session_revocations", 1_000_000).await;
        let revoked = time::timeout(2 * limit, store.revoke(&named(&["one"]), RETENTION)).await;
        assert!(matches!(revoked.unwrap(), Err(StoreError::Unavailable(_))));
        assert!(tries(&database).await < 100);
        assert!(store.get(&handle("one")).await.unwrap().is_some());
    }
}

/// Makes the next writes of a kind fail as deadlocks do.
async fn fail(database: &Database, what: &str, times: u32) {
    let script = match database.server() {
        Server::Postgres => format!(
            "DROP FUNCTION IF EXISTS fail CASCADE; DROP SEQUENCE IF EXISTS tries; \
             CREATE SEQUENCE tries; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF nextval('tries') <= {times} THEN \
             RAISE EXCEPTION 'refused' USING ERRCODE = '40P01'; END IF; RETURN new; END $$; \
             CREATE TRIGGER fail BEFORE {what} FOR EACH ROW EXECUTE FUNCTION fail()"
        ),
        // A sequence counts whatever becomes of the transaction.
        Server::MySql => format!(
            "DROP TRIGGER IF EXISTS fail; DROP SEQUENCE IF EXISTS tries; \
             CREATE SEQUENCE tries CACHE 1; \
             CREATE TRIGGER fail BEFORE {what} FOR EACH ROW IF NEXTVAL(tries) <= {times} THEN \
             SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF"
        ),
    };
    database.run(&script).await;
}

async fn tries(database: &Database) -> i64 {
    database
        .ask(match database.server() {
            Server::Postgres => "SELECT last_value FROM tries",
            Server::MySql => "SELECT next_not_cached_value - 1 FROM tries",
        })
        .await
}

/// H9, F17: while somebody keeps a row locked, writers get an error in bounded time and readers
/// their answer; when it is free, everything goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_kept_locked_is_an_error_in_bounded_time() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let limit = Duration::from_secs(1);
        let options = database.options().await.timeout(limit);
        let store = SqlxStore::connect_with(options).await.unwrap();
        let row = session("one");
        create(&store, &row).await;
        let lock = "SELECT 1 FROM session_sessions WHERE handle = 'one' FOR UPDATE";
        macro_rules! while_locked {
            ($connection:ty) => {{
                let mut hostile = <$connection>::connect(&url).await.unwrap();
                let mut transaction = hostile.begin().await.unwrap();
                sqlx::query(lock).execute(&mut *transaction).await.unwrap();
                for _ in 0..2 {
                    let (rotation, scope) = (rotation_of(&row), named(&["one"]));
                    let both = async {
                        tokio::join!(store.rotate(&rotation), store.revoke(&scope, RETENTION))
                    };
                    let (rotated, revoked) = time::timeout(2 * limit, both).await.unwrap();
                    assert!(matches!(rotated, Err(StoreError::Unavailable(_))));
                    assert!(matches!(revoked, Err(StoreError::Unavailable(_))));
                    assert!(store.get(&row.handle).await.unwrap() == Some(row.clone()));
                }
                transaction.rollback().await.unwrap();
            }};
        }
        match server {
            Server::Postgres => while_locked!(PgConnection),
            Server::MySql => while_locked!(MySqlConnection),
        }
        let store = database.store().await;
        let rotated = store.rotate(&rotation_of(&row)).await.unwrap();
        assert_eq!(rotated, Rotated::Rotated);
        assert_eq!(
            store
                .revoke(&named(&["one"]), RETENTION)
                .await
                .unwrap()
                .len(),
            1
        );
    }
}

/// A row that no version of ours wrote is an error that names what it is, never a panic, and does
/// not stand in the way of the others.
#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_row_on_a_server_is_an_error() {
    for server in Server::ALL {
        let not_utf8 = match server {
            Server::Postgres => "generation = generation, secret_hash = ''",
            Server::MySql => "payload = x'ff'",
        };
        for damage in [
            "secret_hash = 'x'",
            "tenant = 'not a tenant'",
            "user_id = ''",
            "refresh_key = 'a b'",
            "rotations = 'x'",
            not_utf8,
        ] {
            let database = Database::on(server);
            let store = database.store().await;
            create(&store, &session("bad")).await;
            create(&store, &session("good")).await;
            let damage = format!("UPDATE session_sessions SET {damage} WHERE handle = 'bad'");
            database.run(&damage).await;

            let read = store.get(&handle("bad")).await;
            assert!(matches!(read, Err(StoreError::Corrupt(_))), "{damage}");
            assert!(store.get(&handle("good")).await.unwrap().is_some());
            // What cannot be read can still be ended.
            let revoked = store.revoke(&named(&["bad"]), RETENTION).await.unwrap();
            assert_eq!(revoked.len(), 1);
            assert!(store.get(&handle("bad")).await.unwrap().is_none());

            let _inserted = store.insert_key(&key("d-1", 0), 0).await.unwrap();
            database
                .run("UPDATE session_keys SET purpose = 'other'")
                .await;
            let read = store.load_keys().await;
            assert!(matches!(read, Err(StoreError::Corrupt(_))));
        }
    }
}

/// A record that an operator's hand left behind neither keeps a session alive nor stays unheard.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_left_behind_saves_no_session() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = database.store().await;
        for name in ["one", "two"] {
            create(&store, &session(name)).await;
        }
        database
            .run("INSERT INTO session_revocations (handle, expires_at_ms) VALUES ('one', 5)")
            .await;
        let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 9).await;
        let revoked = store
            .revoke(&named(&["one", "two"]), RETENTION)
            .await
            .unwrap();
        assert_eq!(revoked.len(), 2);
        assert!(store.get(&handle("one")).await.unwrap().is_none());
        let (heard, _) = all_revocations(&store, cursor, 9).await;
        assert!(revoked.iter().all(|one| heard.contains(one)));
    }
}

/// F17: revocations of the same sessions by user, by tenant and by handle lock them in one order,
/// so that none of them is ended in favour of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revocations_that_cross_never_deadlock() {
    let database = Database::on(Server::Postgres);
    let store = database.store().await;
    for round in 0..5 {
        let mut handles = Vec::new();
        for number in 0..40 {
            let row = SessionRecord {
                created_at_ms: NOW_MS - number,
                ..session(&format!("s-{round}-{number:02}"))
            };
            create(&store, &row).await;
            handles.push(row.handle);
        }
        let scopes = [
            all_of("ann"),
            SessionScope::Tenant(TenantId::default()),
            SessionScope::Handles(handles.clone()),
            SessionScope::Handles(handles.into_iter().rev().collect()),
        ];
        let revoked = race(scopes.len(), |number| {
            let (store, scope) = (store.clone(), scopes[number].clone());
            async move { store.revoke(&scope, RETENTION).await.unwrap().len() }
        })
        .await;
        assert_eq!(revoked.iter().sum::<usize>(), 40);
    }
    // A server process counts at its end.
    end_all_connections(&database).await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(database.ask(deadlocks).await, 0);
}
