//! Futures dropped half-way, as frameworks do when a client disconnects.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use futures_util::future::BoxFuture;
use session_core::store::{Created, KeyInserted, RevocationCursor, SessionStore};
use tokio::time;

use super::{
    TestDatabase,
    records::{
        NOW_MS, RETENTION, all_of, all_revocations, create, handle, key, named, rotation_of,
        session, session_of,
    },
};

/// G11: after any call was dropped at any point, the next acknowledged revocation is there for
/// every other process, and so is everything after it.
///
/// A driver that returns a connection with an open transaction to its pool fails here: what is
/// written through that connection is acknowledged and never committed.
pub async fn what_follows_a_dropped_call_is_not_lost(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    for polls in 1..=12 {
        for operation in OPERATIONS {
            let name = format!("{polls}-{operation}");
            create(&*store, &session(&name)).await;
            drop_after_polls(call(&store, operation, &name), polls).await;
            let kept = format!("{name}-kept");
            assert_goes_on(&*store, &*other, &kept).await;
        }
    }
}

/// G11: the same when it is the time that ends the wait, at a point that no poll marks.
pub async fn what_follows_a_call_given_up_is_not_lost(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    for micros in [0, 20, 50, 100, 200, 400, 800, 1600, 3200] {
        for operation in OPERATIONS {
            let name = format!("{micros}-{operation}");
            create(&*store, &session(&name)).await;
            let patience = Duration::from_micros(micros);
            let _outcome = time::timeout(patience, call(&store, operation, &name)).await;
            let kept = format!("{name}-kept");
            assert_goes_on(&*store, &*other, &kept).await;
        }
    }
}

/// G11, H12: a bulk revocation that was dropped happened to all of its sessions or to none, and
/// what was deleted was recorded.
pub async fn a_dropped_revocation_is_whole_or_not_at_all(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    for polls in 1..=12 {
        let owner = format!("user-{polls}");
        for number in 0..3 {
            create(&*store, &session_of(&owner, &format!("{polls}-{number}"))).await;
        }
        let scope = all_of(&owner);
        drop_after_polls(
            Box::pin(async { drop(store.revoke(&scope, RETENTION).await) }),
            polls,
        )
        .await;
        create(&*store, &session(&format!("{polls}-after"))).await;

        // A commit may be on its way to a server still: what is read on either side of it is no
        // one moment.
        let living = async || other.list(&scope, NOW_MS, None, 10).await.unwrap().len();
        let (alive, recorded) = loop {
            let before = living().await;
            let (recorded, _) = all_revocations(&*other, RevocationCursor::default(), 100).await;
            if living().await == before {
                break (before, recorded);
            }
        };
        let prefix = format!("{polls}-");
        let recorded = recorded
            .iter()
            .filter(|one| one.handle.as_str().starts_with(&prefix))
            .count();
        assert!(matches!((alive, recorded), (3, 0) | (0, 3)), "half done");
    }
}

const OPERATIONS: [&str; 9] = [
    "create", "get", "rotate", "payload", "data", "revoke", "list", "key", "purge",
];

fn call<'a>(
    store: &'a Arc<dyn SessionStore>,
    operation: &'static str,
    name: &str,
) -> BoxFuture<'a, ()> {
    let row = session(name);
    let name = name.to_owned();
    Box::pin(async move {
        match operation {
            "create" => drop(store.create(&session(&format!("{name}-new"))).await),
            "get" => drop(store.get(&row.handle).await),
            "rotate" => drop(store.rotate(&rotation_of(&row)).await),
            "payload" => drop(store.update_payload(&row.handle, 0, "{}").await),
            "data" => drop(store.update_data(&row.handle, "{}").await),
            "revoke" => drop(store.revoke(&named(&[&name]), RETENTION).await),
            "list" => drop(store.list(&all_of("ann"), NOW_MS, None, 10).await),
            "key" => drop(store.insert_key(&key(&name, NOW_MS), NOW_MS).await),
            "purge" => drop(store.purge_expired(NOW_MS, 10).await),
            _ => unreachable!("not an operation: {operation}"),
        }
    })
}

/// Polls a call this often and drops it, whether or not it has ended.
async fn drop_after_polls(call: BoxFuture<'_, ()>, polls: u32) {
    let mut call = pin!(call);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        match call.as_mut().poll(context) {
            Poll::Pending if polled < polls => Poll::Pending,
            Poll::Pending | Poll::Ready(()) => Poll::Ready(()),
        }
    })
    .await;
}

/// Makes, rotates and revokes a session, and looks from the other process after each step.
async fn assert_goes_on(store: &dyn SessionStore, other: &dyn SessionStore, name: &str) {
    let row = session(name);
    assert_eq!(store.create(&row).await.unwrap(), Created::Created);
    assert!(other.get(&row.handle).await.unwrap().is_some());
    let _verdict = store.rotate(&rotation_of(&row)).await.unwrap();
    let seen = other.get(&row.handle).await.unwrap().unwrap();
    assert_eq!(seen.generation, 1);
    let key = key(&format!("d-{name}"), NOW_MS);
    let inserted = store.insert_key(&key, NOW_MS).await.unwrap();
    assert_eq!(inserted, KeyInserted::Inserted);
    assert!(
        other
            .load_keys()
            .await
            .unwrap()
            .iter()
            .any(|one| one.id == key.id)
    );

    let revoked = store.revoke(&named(&[name]), RETENTION).await.unwrap();
    assert_eq!(revoked.len(), 1);
    assert!(other.get(&handle(name)).await.unwrap().is_none());
    let (recorded, _) = all_revocations(other, RevocationCursor::default(), 1000).await;
    assert!(recorded.contains(&revoked[0]));
}
