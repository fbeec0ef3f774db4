//! Servers that only repeat what another one does, and servers that took another one's place.

use std::time::Duration;

use session_core::store::{KeyInserted, RevocationCursor, SessionStore, StoreError};
use session_sqlx::{ConnectError, ConnectOptions, MySqlPool, PgPool, SqlxStore};
use session_testkit::store::records::{
    NOW_MS, RETENTION, all_of, all_revocations, create, handle, key, named, names, node, session,
    session_of,
};

use crate::{
    proxy::Proxy,
    servers::{Database, Opening, PATIENCE, Server},
};

/// What asks whether a server is a replica, and an answer that says so.
fn is_replica(server: Server) -> (&'static str, &'static str) {
    match server {
        Server::Postgres => ("pg_is_in_recovery()", "true"),
        Server::MySql => ("@@global.read_only", "1"),
    }
}

/// H17: a replica may be behind, so no store is opened on one, through its own connections or
/// through an application's.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_not_opened_on_a_replica() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let (asked, yes) = is_replica(server);
        proxy.replace(asked, yes);
        let shared = shared(server, &proxy.url(&url)).await;
        for options in [shared, ConnectOptions::new(proxy.url(&url))] {
            let refused = SqlxStore::connect_with(options.timeout(PATIENCE)).await;
            assert!(
                matches!(refused, Err(ConnectError::Replica(_))),
                "{refused:?}"
            );
        }
    }
}

/// H17: when the server becomes a replica, the list of revocations is not taken from it any more,
/// so that no node calls its set fresh; when the name leads to a primary again, all goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_demoted_server_is_not_followed() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let options = ConnectOptions::new(proxy.url(&url))
            .connections(1)
            .timeout(Duration::from_secs(5));
        let store = SqlxStore::connect_with(options).await.unwrap();
        create(&store, &session("one")).await;
        store.revoke(&named(&["one"]), RETENTION).await.unwrap();
        let (asked, yes) = is_replica(server);
        proxy.replace(asked, yes);
        let page = store
            .revocations_since(RevocationCursor::default(), NOW_MS, 9)
            .await;
        assert!(matches!(page, Err(StoreError::Unavailable(_))), "{page:?}");

        proxy.replace_nothing();
        let page = store
            .revocations_since(RevocationCursor::default(), NOW_MS, 9)
            .await;
        assert_eq!(page.unwrap().revoked.len(), 1);
        assert!(store.get(&handle("one")).await.unwrap().is_none());
    }
}

/// H6, H17: nor is any question answered from it: what a server that may be behind says of a
/// session, and that there is none, is worth nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_demoted_server_is_not_asked() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let options = ConnectOptions::new(proxy.url(&url))
            .connections(1)
            .timeout(Duration::from_secs(5));
        let store = SqlxStore::connect_with(options).await.unwrap();
        create(&store, &session("one")).await;
        let (asked, yes) = is_replica(server);
        proxy.replace(asked, yes);
        let found = store.get(&handle("one")).await;
        assert!(
            matches!(found, Err(StoreError::Unavailable(_))),
            "{found:?}"
        );

        proxy.replace_nothing();
        assert!(store.get(&handle("one")).await.unwrap().is_some());
    }
}

/// H6, H17: the connections of an application's pool are made without a question of ours, so each
/// answer comes with what the server is: an ended session may live on where the address leads to,
/// and what is not there may be on its way.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_from_a_replica_that_a_shared_pool_leads_to() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let options = shared(server, &proxy.url(&url)).await.timeout(PATIENCE);
        let store = SqlxStore::connect_with(options).await.unwrap();
        create(&store, &session_of("ann", "one")).await;
        let inserted = store.insert_key(&key("one", NOW_MS), 0).await.unwrap();
        assert_eq!(inserted, KeyInserted::Inserted);
        store.attend(&node("one"), PATIENCE).await.unwrap();
        store.raise_barrier().await.unwrap();
        let (asked, yes) = is_replica(server);
        proxy.replace(asked, yes);
        for (name, question) in QUESTIONS {
            let refused = ask(&store, question).await;
            let Err(StoreError::Unavailable(source)) = refused else {
                panic!("{server:?}, {name}: {refused:?}");
            };
            let reason = source.to_string();
            assert!(reason.contains("replica"), "{server:?}, {name}: {reason}");
        }

        proxy.replace_nothing();
        for (name, question) in QUESTIONS {
            let answered = ask(&store, question).await.unwrap();
            let there = usize::from(!name.starts_with("no "));
            assert_eq!(answered, there, "{server:?}, {name}");
        }
    }
}

/// H17: a server that took another one's place may have lost its last records and give their
/// numbers out again; whoever followed the other one begins anew and misses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_server_begins_anew() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let store = database.store().await;
        for name in ["one", "two"] {
            create(&store, &session(name)).await;
            store.revoke(&named(&[name]), RETENTION).await.unwrap();
        }
        let (_, known) = all_revocations(&store, RevocationCursor::default(), 9).await;
        let proxy = Proxy::before(&url).await;
        proxy.replace("'/'", "'+'");
        let options = ConnectOptions::new(proxy.url(&url)).timeout(PATIENCE);
        let promoted = SqlxStore::connect_with(options).await.unwrap();
        let (heard, cursor) = all_revocations(&promoted, known, 9).await;
        assert_eq!(names(&heard), ["one", "two"]);
        let (_, next) = all_revocations(&promoted, cursor.clone(), 9).await;
        assert_eq!(next.0[0], cursor.0[0], "it begins anew again and again");
    }
}

/// H17: numbers that are given out again, after a restored backup, are read again.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_given_out_again_are_read() {
    let database = Database::on(Server::MySql);
    let store = database.store().await;
    for name in ["one", "two"] {
        create(&store, &session(name)).await;
        store.revoke(&named(&[name]), RETENTION).await.unwrap();
    }
    let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 9).await;
    database.run("TRUNCATE TABLE session_revocations").await;
    create(&store, &session("three")).await;
    store.revoke(&named(&["three"]), RETENTION).await.unwrap();
    let (heard, _) = all_revocations(&store, cursor, 9).await;
    assert_eq!(names(&heard), ["three"]);
}

/// H17: a backup is restored by the same server, which has given out the numbers of what was lost
/// again, and more, before anybody looks; whoever followed the list reads it anew.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_given_out_again_beyond_the_cursor_are_read() {
    let database = Database::on(Server::MySql);
    let store = database.store().await;
    for name in ["one", "two"] {
        create(&store, &session(name)).await;
        store.revoke(&named(&[name]), RETENTION).await.unwrap();
    }
    let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 9).await;
    database.run("TRUNCATE TABLE session_revocations").await;
    for name in ["three", "four", "five"] {
        create(&store, &session(name)).await;
        store.revoke(&named(&[name]), RETENTION).await.unwrap();
    }
    let (heard, cursor) = all_revocations(&store, cursor, 9).await;
    assert_eq!(names(&heard), ["five", "four", "three"]);
    let (heard, _) = all_revocations(&store, cursor, 9).await;
    assert_eq!(names(&heard), [""; 0], "it begins anew again and again");
}

/// What a session's life, a signature or a receipt depends on.
#[derive(Debug, Clone, Copy)]
enum Question {
    Get(&'static str),
    List(&'static str),
    Keys,
    Attending,
    Barrier,
    RaiseBarrier,
}

const QUESTIONS: [(&str, Question); 8] = [
    ("a session", Question::Get("one")),
    ("no session", Question::Get("two")),
    ("a user's sessions", Question::List("ann")),
    ("no user's sessions", Question::List("bob")),
    ("keys", Question::Keys),
    ("nodes", Question::Attending),
    ("the barrier", Question::Barrier),
    ("the barrier, raised", Question::RaiseBarrier),
];

/// How many there are.
async fn ask(store: &SqlxStore, question: Question) -> Result<usize, StoreError> {
    Ok(match question {
        Question::Get(name) => usize::from(store.get(&handle(name)).await?.is_some()),
        Question::List(owner) => {
            let of_user = all_of(owner);
            store.list(&of_user, NOW_MS, None, 9).await?.len()
        }
        Question::Keys => store.load_keys().await?.len(),
        Question::Attending => store.attending().await?.len(),
        Question::Barrier => usize::from(store.barrier().await? > 0),
        Question::RaiseBarrier => usize::from(store.raise_barrier().await? > 0),
    })
}

/// An application's own pool.
async fn shared(server: Server, url: &str) -> ConnectOptions {
    match server {
        Server::Postgres => ConnectOptions::over(PgPool::connect(url).await.unwrap()),
        Server::MySql => ConnectOptions::over(MySqlPool::connect(url).await.unwrap()),
    }
}
