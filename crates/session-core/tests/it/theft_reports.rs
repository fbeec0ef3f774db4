//! Who is told of a theft, and what shadow mode does instead.

use std::time::Duration;

use session_core::{
    async_trait,
    config::TheftDetection,
    observer::{ReplayClass, ReplayEvent, SessionObserver, TheftEvent},
};

use crate::{
    faulty_store::FaultyStore,
    node::{Listener, Node, assert_theft, check_database, refresh_token},
};

const GRACE: Duration = Duration::from_secs(30);

/// An application's hook that never returns.
#[derive(Debug)]
struct Hangs;

#[async_trait]
impl SessionObserver for Hangs {
    async fn theft_detected(&self, _: &TheftEvent) {
        std::future::pending::<()>().await;
    }

    async fn replayed_within_grace(&self, _: &ReplayEvent) {
        std::future::pending::<()>().await;
    }
}

/// An application's hook with a bug.
#[derive(Debug)]
struct Panics;

#[async_trait]
impl SessionObserver for Panics {
    async fn theft_detected(&self, _: &TheftEvent) {
        panic!("the application's hook panicked")
    }
}

/// F15: the session has ended before the application hears of the theft; a hook that never returns
/// or panics changes nothing and keeps no other from hearing of it.
#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_or_panics_delays_nobody() {
    let (listener, mut heard) = Listener::new();
    let node = Node::with(FaultyStore::new(), |builder| {
        builder.observer(Hangs).observer(Panics).observer(listener)
    })
    .await;
    let first = node.log_in("ann").await;
    let _second = node.refresh(&refresh_token(&first)).await.unwrap();
    node.advance(GRACE);
    let began = tokio::time::Instant::now();
    assert_theft(node.refresh(&refresh_token(&first)).await);
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(node.row(first.session().handle()).await, None);
    assert!(heard.theft().await.revoked);
    assert!(node.sessions.health().await.is_ready());
}

/// F15, J10: events that a hook does not take in are not kept for ever, and do not keep the service
/// from shutting down.
#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_does_not_hold_up_a_shutdown() {
    let node = Node::with(FaultyStore::new(), |builder| builder.observer(Hangs)).await;
    let first = refresh_token(&node.log_in("ann").await);
    for _ in 0..100 {
        let _replayed = node.refresh(&first).await.unwrap();
    }
    let began = tokio::time::Instant::now();
    node.sessions.shutdown().await;
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}

/// Design §5: shadow mode tells of the theft and answers as if the window were open.
#[tokio::test]
async fn shadow_mode_tells_of_a_theft_and_ends_nothing() {
    let (listener, mut heard) = Listener::new();
    let node = Node::with(FaultyStore::new(), |builder| {
        builder
            .config(|config| config.theft_detection(TheftDetection::Shadow))
            .observer(listener)
    })
    .await;
    let first = node.log_in("ann").await;
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    node.advance(GRACE);
    let late = node.refresh(&refresh_token(&first)).await.unwrap();
    assert_eq!(
        refresh_token(&late).expose(),
        refresh_token(&second).expose()
    );
    let event = heard.theft().await;
    assert_eq!(
        (event.class, event.revoked),
        (ReplayClass::AfterGrace, false)
    );
    assert!(node.verify(&late, &check_database()).await.is_ok());
    assert!(node.refresh(&refresh_token(&second)).await.is_ok());
}

/// Design §5: in shadow mode a token is good for a session that works, also when the last access
/// token has expired long ago and more rotations have happened than the row remembers.
#[tokio::test]
async fn shadow_mode_answers_with_tokens_that_work_however_late() {
    for rotations in [1, 12] {
        let (listener, mut heard) = Listener::new();
        let node = Node::with(FaultyStore::new(), |builder| {
            builder
                .config(|config| config.theft_detection(TheftDetection::Shadow))
                .observer(listener)
        })
        .await;
        let first = node.log_in("ann").await;
        let mut newest = refresh_token(&first);
        for _ in 0..rotations {
            newest = refresh_token(&node.refresh(&newest).await.unwrap());
        }
        node.advance(Duration::from_hours(48));
        let late = node.refresh(&refresh_token(&first)).await.unwrap();
        assert!(node.verify(&late, &check_database()).await.is_ok());
        assert!(!heard.theft().await.revoked);
        let owner = node.refresh(&newest).await.unwrap();
        assert_eq!(
            refresh_token(&owner).expose(),
            refresh_token(&late).expose(),
            "still one lineage"
        );
    }
}
