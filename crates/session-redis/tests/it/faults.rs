//! A server that forgets, dies, hangs, is full or is no primary.

use std::time::Duration;

use session_core::{
    AppInfo, NewSession, Sessions, VerifyOptions,
    store::{Created, RevocationCursor, SessionStore, StoreError, Updated},
    verify::PresentedAntiCsrf,
};
use session_redis::{ConnectOptions, RedisStore};
use session_testkit::store::records::{
    NOW_MS, RETENTION, all_of, all_revocations, create, handle, named, names, rotation_of, session,
    user,
};
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    time,
};

use crate::{
    own_server::{DURABLE, FORGETFUL, OwnServer, address, in_the_end, until},
    shared_server::PATIENCE,
};

/// I7: a list that was emptied is not taken for complete, whether one reads on or from the start.
#[tokio::test]
async fn a_flushed_list_is_not_relied_upon() {
    let server = OwnServer::start(DURABLE).await;
    let store = server.store().await;
    create(&store, &session("one")).await;
    store.revoke(&named(&["one"]), RETENTION).await.unwrap();
    let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 10).await;
    let () = server.run("FLUSHALL").await;
    for cursor in [cursor, RevocationCursor::default()] {
        let answer = store.revocations_since(cursor, NOW_MS, 10).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    }
}

/// I7: somebody who follows the list goes on at the start of the new one.
#[tokio::test]
async fn after_a_flush_the_list_is_read_from_its_start() {
    let server = OwnServer::start(DURABLE).await;
    let options = server.options().distrust_after_loss(Duration::ZERO);
    let store = RedisStore::connect_with(options).await.unwrap();
    create(&store, &session("before")).await;
    store.revoke(&named(&["before"]), RETENTION).await.unwrap();
    let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 10).await;
    let () = server.run("FLUSHALL").await;
    create(&store, &session("after")).await;
    store.revoke(&named(&["after"]), RETENTION).await.unwrap();
    let (since, next) = all_revocations(&store, cursor, 10).await;
    assert_eq!(names(&since), ["after"]);
    assert!(all_revocations(&store, next.clone(), 10).await.0.is_empty());
    let nothing = store.revocations_since(next, NOW_MS, 0).await.unwrap();
    assert!(nothing.revoked.is_empty());
}

/// I7: after a flush a route that checks the blacklist asks the database, and a session that is no
/// longer there is refused within the bound.
#[tokio::test]
async fn a_flush_lets_no_session_through() {
    let server = OwnServer::start(DURABLE).await;
    let options = server.options().poll_every(Duration::from_millis(10));
    let store = RedisStore::connect_with(options).await.unwrap();
    let app = AppInfo::new("https://api.example.com", "https://example.com");
    let sessions = Sessions::builder(app)
        .store(store)
        .config(|config| config.max_staleness(Duration::from_secs(1)))
        .build()
        .await
        .unwrap();
    let issued = sessions.create(NewSession::new(user("ann"))).await.unwrap();
    let token = issued.into_parts().1;
    let token = token.access_token().expose();
    let checked = VerifyOptions::new().check_blacklist(true);
    let verify = async || {
        sessions
            .verify(token, PresentedAntiCsrf::NotChecked, &checked)
            .await
    };
    until(async || sessions.health().await.blacklist.is_fresh()).await;
    assert!(verify().await.is_ok());
    let () = server.run("FLUSHALL").await;
    until(async || verify().await.is_err()).await;
    // The token's key may be gone from the server before the list is too old.
    until(async || !sessions.health().await.blacklist.is_fresh()).await;
    assert!(verify().await.is_err());
    sessions.shutdown().await;
}

/// H12: what was acknowledged survives a kill, and a cursor of before yields all there is.
#[tokio::test]
async fn a_killed_server_keeps_what_it_acknowledged() {
    let mut server = OwnServer::start(DURABLE).await;
    let store = server.store().await;
    let kept = session("kept");
    create(&store, &kept).await;
    create(&store, &session("gone")).await;
    store.revoke(&named(&["gone"]), RETENTION).await.unwrap();
    let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 10).await;

    server.crash_and_restart().await;
    let found = in_the_end(async || store.get(&kept.handle).await).await;
    assert!(found == Some(kept));
    assert!(store.get(&handle("gone")).await.unwrap().is_none());
    let taken = store.create(&session("gone")).await.unwrap();
    assert_eq!(taken, Created::HandleTaken);
    let (again, _) = all_revocations(&store, cursor, 10).await;
    assert_eq!(names(&again), ["gone"]);
}

/// I7: a server that came back empty is one that was flushed.
#[tokio::test]
async fn a_server_that_came_back_empty_is_not_relied_upon() {
    let mut server = OwnServer::start(FORGETFUL).await;
    let store = server.store().await;
    create(&store, &session("one")).await;
    store.revoke(&named(&["one"]), RETENTION).await.unwrap();
    server.crash_and_restart().await;
    in_the_end(async || store.clock_ms().await).await;
    let answer = store
        .revocations_since(RevocationCursor::default(), NOW_MS, 10)
        .await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
}

/// I2: a line that nobody closed and that carries nothing any more is given up for a new one.
#[tokio::test]
async fn a_silent_line_is_replaced() {
    let server = OwnServer::start(DURABLE).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy");
    let proxy = UnixListener::bind(&path).unwrap();
    let options = ConnectOptions::new(address(&path)).timeout(Duration::from_millis(500));
    let connecting = RedisStore::connect_with(options);
    let mut near = None;
    let mut far = UnixStream::connect(server.socket()).await.unwrap();
    let carried = async {
        let (line, _) = proxy.accept().await.unwrap();
        copy_bidirectional(near.insert(line), &mut far).await
    };
    let store = tokio::select! {
        store = connecting => store.unwrap(),
        _ = carried => panic!("the connection was closed"),
    };
    // Both ends are open, and nobody carries anything between them any more.
    let carry_on = async {
        let (mut line, _) = proxy.accept().await.unwrap();
        let mut server = UnixStream::connect(server.socket()).await.unwrap();
        copy_bidirectional(&mut line, &mut server).await
    };
    tokio::select! {
        _ = in_the_end(async || store.clock_ms().await) => {}
        _ = carry_on => panic!("the connection was closed"),
    }
    drop((near, far));
}

/// H6: a replica may be behind, so it answers nothing.
#[tokio::test]
async fn a_replica_answers_nothing() {
    let server = OwnServer::start(DURABLE).await;
    let store = server.store().await;
    let row = session("one");
    create(&store, &row).await;
    let () = server.run("REPLICAOF 127.0.0.1 1").await;
    let cursor = RevocationCursor::default();
    let unanswered = [
        store.create(&session("two")).await.is_err(),
        store.get(&row.handle).await.is_err(),
        store.rotate(&rotation_of(&row)).await.is_err(),
        store.update_payload(&row.handle, 9, "{}").await.is_err(),
        store.update_data(&handle("nobody"), "{}").await.is_err(),
        store.revoke(&named(&["nobody"]), RETENTION).await.is_err(),
        store.list(&all_of("bob"), NOW_MS, None, 9).await.is_err(),
        store.revocations_since(cursor, NOW_MS, 9).await.is_err(),
        store.load_keys().await.is_err(),
        store.purge_expired(NOW_MS, 9).await.is_err(),
        store.clock_ms().await.is_err(),
    ];
    assert_eq!(unanswered, [true; 11]);
    let () = server.run("REPLICAOF NO ONE").await;
    assert!(in_the_end(async || store.get(&row.handle).await).await == Some(row));
}

/// I9: a full server takes no session, but lets go of them.
#[tokio::test]
async fn a_full_server_still_ends_sessions() {
    let server = OwnServer::start(&format!("{DURABLE}maxmemory-policy noeviction\n")).await;
    let store = server.store().await;
    let row = session("one");
    create(&store, &row).await;
    let () = server.run("CONFIG SET maxmemory 1").await;
    assert!(store.create(&session("two")).await.is_err());
    assert!(store.update_payload(&row.handle, 0, "{}").await.is_err());
    assert!(store.get(&row.handle).await.unwrap().as_ref() == Some(&row));
    assert_eq!(
        store
            .revoke(&named(&["one"]), RETENTION)
            .await
            .unwrap()
            .len(),
        1
    );
    let (recorded, _) = all_revocations(&store, RevocationCursor::default(), 10).await;
    assert_eq!(names(&recorded), ["one"]);
    let () = server.run("CONFIG SET maxmemory 0").await;
    create(&store, &session("two")).await;
    assert_eq!(
        store.update_data(&handle("two"), "{}").await.unwrap(),
        Updated::Updated
    );
}

/// H9: nobody waits for a server that hangs, and it is used again when it goes on.
#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let server = OwnServer::start(DURABLE).await;
    let options = server.options().timeout(Duration::from_millis(200));
    let store = RedisStore::connect_with(options).await.unwrap();
    let row = session("one");
    create(&store, &row).await;
    server.signal("STOP");
    let answer = time::timeout(PATIENCE, store.get(&row.handle)).await;
    assert!(matches!(answer, Ok(Err(StoreError::Unavailable(_)))));
    server.signal("CONT");
    assert!(in_the_end(async || store.get(&row.handle).await).await == Some(row));
}
