//! A database that lost rotations: a restored backup, or an asynchronous failover.

use std::time::Duration;

use session_core::{
    observer::ReplayClass,
    store::{RevocationCursor, SessionStore as _},
};

use crate::{
    faulty_store::FaultyStore,
    node::{
        Listener, Node, assert_theft, assert_unauthorised, check_blacklist, generation,
        refresh_token, secret_hash, settle, stateless,
    },
};

const GRACE: Duration = Duration::from_secs(30);

/// Design §5: a database that lost rotations is moved forward, and nobody is logged out.
#[tokio::test]
async fn a_database_that_went_back_logs_nobody_out() {
    let (listener, mut heard) = Listener::new();
    let node = Node::with(FaultyStore::new(), |builder| builder.observer(listener)).await;
    let first = node.log_in("ann").await;
    let backup = node.row(first.session().handle()).await.unwrap();
    let mut newest = refresh_token(&first);
    for _ in 0..5 {
        newest = refresh_token(&node.refresh(&newest).await.unwrap());
    }
    let slow_tab = newest.clone();
    node.store.restore(&backup).await;
    node.advance(Duration::from_hours(2));

    let ahead = node.refresh(&newest).await.unwrap();
    assert_eq!(generation(&refresh_token(&ahead)), 6);
    assert_eq!(
        node.row(first.session().handle()).await.unwrap().generation,
        6
    );
    let replay = node.refresh(&slow_tab).await.unwrap();
    assert_eq!(
        refresh_token(&replay).expose(),
        refresh_token(&ahead).expose()
    );
    assert_eq!(heard.rest().await.len(), 1);
    node.advance(GRACE);
    assert_theft(node.refresh(&slow_tab).await);
}

/// G14, INV-1: a database that went back does not know of the last access tokens, and the record of
/// a revocation outlives them all the same.
#[tokio::test]
async fn a_revocation_outlives_the_access_tokens_of_lost_rotations() {
    let node = Node::new().await;
    let first = node.log_in("ann").await;
    let handle = first.session().handle();
    let backup = node.row(handle).await.unwrap();
    node.advance(Duration::from_mins(59));
    let lost = node.refresh(&refresh_token(&first)).await.unwrap();

    let restored = FaultyStore::new();
    let _created = restored.inner().create(&backup).await.unwrap();
    for key in node.store.inner().load_keys().await.unwrap() {
        let _inserted = restored.inner().insert_key(&key, i64::MIN).await.unwrap();
    }
    let after = Node::bare(restored, node.clock.clone(), |builder| builder)
        .await
        .unwrap();
    assert!(after.sessions.revoke(handle).await.unwrap());
    after.advance(Duration::from_mins(59));
    assert!(after.verify(&lost, &stateless()).await.is_ok());
    assert_unauthorised(after.verify(&lost, &check_blacklist()).await);
    let recorded = after.store.inner();
    let recorded = recorded.revocations_since(RevocationCursor::default(), after.now_ms(), 10);
    assert_eq!(recorded.await.unwrap().revoked.len(), 1);
}

/// INV-3: when a database goes back and keys change meanwhile, two lines can part. Whoever holds the
/// one is found out by the other's token, as two holders of one session always are.
#[tokio::test]
async fn of_two_lines_that_parted_neither_goes_on_beside_the_other() {
    let (listener, mut heard) = Listener::new();
    let node = Node::with(FaultyStore::new(), |builder| builder.observer(listener)).await;
    let first = node.log_in("ann").await;
    let backup = node.row(first.session().handle()).await.unwrap();
    let mut lines = [refresh_token(&first), refresh_token(&first)];
    for _ in 0..2 {
        lines[0] = refresh_token(&node.refresh(&lines[0]).await.unwrap());
    }
    node.store.restore(&backup).await;
    node.sessions.rotate_refresh_key().await.unwrap();
    node.advance(Duration::from_secs(61));
    for _ in 0..2 {
        lines[1] = refresh_token(&node.refresh(&lines[1]).await.unwrap());
    }
    assert_eq!(generation(&lines[0]), generation(&lines[1]));
    assert_ne!(secret_hash(&lines[0]), secret_hash(&lines[1]));
    assert_theft(node.refresh(&lines[0]).await);
    assert_eq!(heard.theft().await.class, ReplayClass::StaleGeneration);
    assert_unauthorised(node.refresh(&lines[1]).await);
}

/// INV-8: a session that was revoked stays gone, also for a token that is ahead of what a backup
/// has, because the restored row is not there.
#[tokio::test]
async fn a_token_ahead_of_the_store_does_not_bring_back_a_session_that_is_gone() {
    let node = Node::new().await;
    let first = node.log_in("ann").await;
    let newest = refresh_token(&node.refresh(&refresh_token(&first)).await.unwrap());
    assert!(
        node.sessions
            .revoke(first.session().handle())
            .await
            .unwrap()
    );
    assert_unauthorised(node.refresh(&newest).await);
    settle().await;
    assert_eq!(node.row(first.session().handle()).await, None);
}
