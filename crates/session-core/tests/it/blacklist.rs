//! What a node hears of the revocations of others, and whoever waits for one.

use std::time::Duration;

use session_core::{
    BackendError, SessionError, async_trait,
    blacklist::{FeedReceiver, Notifications, RevocationFeed, Unreliable},
    store::RevocationCursor,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    faulty_store::{Fault, FaultyStore, Op},
    node::{Node, assert_unauthorised, check_blacklist, refresh_token, settle, stateless},
};

const MILLISECOND: Duration = Duration::from_millis(1);
const POLL: Duration = Duration::from_secs(1);
const STALENESS: Duration = Duration::from_secs(5);

/// Two nodes of one application, which hear of each other's revocations by asking the store.
pub(crate) async fn two_nodes() -> (Node, Node) {
    let here = Node::with(FaultyStore::shared(POLL), |builder| {
        builder.config(|config| config.max_staleness(STALENESS))
    })
    .await;
    let there = here.beside(|config| config.max_staleness(STALENESS)).await;
    settle().await;
    (here, there)
}

/// Design §7, INV-2: what another node revokes is refused here after a poll, without a read of the
/// session.
#[tokio::test(start_paused = true)]
async fn a_revocation_elsewhere_is_refused_here_after_a_poll() {
    let (here, there) = two_nodes().await;
    let issued = here.log_in("ann").await;
    let bystander = here.log_in("bob").await;
    assert!(
        here.sessions
            .revoke(issued.session().handle())
            .await
            .unwrap()
    );
    let reads = there.store.calls(Op::Get);
    here.pass(POLL).await;
    assert_unauthorised(there.verify(&issued, &check_blacklist()).await);
    assert!(there.verify(&bystander, &check_blacklist()).await.is_ok());
    assert_eq!(there.store.calls(Op::Get), reads);
}

/// Design §7: a store's own feed takes the place of asking, reads when it has to, and is believed.
#[tokio::test(start_paused = true)]
async fn a_stores_own_feed_is_believed_and_nothing_else_is_asked() {
    let here = Node::with(FaultyStore::telling(ReadsOnce), |builder| builder).await;
    settle().await;
    let health = here.sessions.health().await.blacklist;
    assert!(health.is_fresh());
    assert_eq!(health.notifications, Notifications::Arriving);
    here.pass(Duration::from_mins(1)).await;
    assert_eq!(here.store.calls(Op::RevocationsSince), 1);
    assert!(!here.sessions.health().await.blacklist.is_fresh());
}

/// Design §7: the same feed beside a store whose own feed hears nothing makes nothing fresh.
#[tokio::test(start_paused = true)]
async fn a_feed_beside_the_stores_is_not_believed() {
    let store = FaultyStore::telling(HearsNothing);
    let here = Node::with(store, |builder| builder.feed(ReadsOnce)).await;
    settle().await;
    assert_eq!(here.store.calls(Op::RevocationsSince), 1);
    let health = here.sessions.health().await.blacklist;
    assert_eq!(health.age, None);
    assert_eq!(health.unreliable, Some(Unreliable::NeverComplete));
    assert_eq!(health.notifications, Notifications::None);
}

#[derive(Debug)]
struct ReadsOnce;

#[async_trait]
impl RevocationFeed for ReadsOnce {
    async fn run(&self, receiver: FeedReceiver, stop: CancellationToken) {
        let asked = receiver.moment();
        assert!(receiver.catch_up(&mut RevocationCursor::default()).await);
        receiver.complete_as_of(asked);
        receiver.notifications(Notifications::Arriving);
        stop.cancelled().await;
    }
}

#[derive(Debug)]
struct HearsNothing;

#[async_trait]
impl RevocationFeed for HearsNothing {
    async fn run(&self, _: FeedReceiver, stop: CancellationToken) {
        stop.cancelled().await;
    }
}

/// REQ-43, design §7: a node that does not hear any more asks the database, and refuses with 503
/// when that is away too; it goes on when it hears again.
#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_hear_fails_closed() {
    let (here, there) = two_nodes().await;
    let (ann, bob) = (here.log_in("ann").await, here.log_in("bob").await);
    here.store.put(Op::RevocationsSince, Fault::Fail);
    here.sessions.revoke(ann.session().handle()).await.unwrap();
    let reads = there.store.calls(Op::Get);
    here.pass(Duration::from_secs(3)).await;
    assert!(there.verify(&bob, &check_blacklist()).await.is_ok());
    assert_eq!(there.store.calls(Op::Get), reads, "still fresh enough");

    here.pass(Duration::from_secs(3)).await;
    assert!(there.verify(&bob, &check_blacklist()).await.is_ok());
    assert_unauthorised(there.verify(&ann, &check_blacklist()).await);
    assert_eq!(
        there.store.calls(Op::Get),
        reads + 2,
        "the database is asked"
    );
    let health = there.sessions.health().await;
    assert!(health.is_ready());
    assert_eq!(health.blacklist.unreliable, Some(Unreliable::Old));

    here.store.put(Op::Get, Fault::Fail);
    for issued in [&ann, &bob] {
        let outcome = there.verify(issued, &check_blacklist()).await;
        assert!(
            matches!(
                outcome,
                Err(SessionError::Unavailable(
                    BackendError::BlacklistStale { .. }
                ))
            ),
            "{outcome:?}"
        );
        assert!(there.verify(issued, &stateless()).await.is_ok());
    }

    here.store.heal();
    here.pass(POLL * 2).await;
    let reads = there.store.calls(Op::Get);
    assert_unauthorised(there.verify(&ann, &check_blacklist()).await);
    assert!(there.verify(&bob, &check_blacklist()).await.is_ok());
    assert_eq!(there.store.calls(Op::Get), reads, "fresh again");
}

/// Design §4: a route can ask for a fresher blacklist than is configured.
#[tokio::test(start_paused = true)]
async fn a_route_that_wants_a_fresher_blacklist_asks_the_database() {
    let (here, there) = two_nodes().await;
    let issued = here.log_in("ann").await;
    here.pass(POLL).await;
    here.store.put(Op::RevocationsSince, Fault::Fail);
    here.pass(Duration::from_secs(2)).await;
    let reads = there.store.calls(Op::Get);
    let tight = check_blacklist().max_staleness(Duration::from_secs(1));
    assert!(there.verify(&issued, &check_blacklist()).await.is_ok());
    assert_eq!(there.store.calls(Op::Get), reads);
    assert!(there.verify(&issued, &tight).await.is_ok());
    assert_eq!(there.store.calls(Op::Get), reads + 1);
}

/// A node that starts while the store is silent has no blacklist yet, and knows it.
#[tokio::test(start_paused = true)]
async fn a_node_that_has_not_heard_yet_asks_the_database() {
    let here = Node::with(FaultyStore::shared(POLL), |builder| builder).await;
    let (ann, bob) = (here.log_in("ann").await, here.log_in("bob").await);
    here.sessions.revoke(ann.session().handle()).await.unwrap();
    here.store.put(Op::RevocationsSince, Fault::Hang);
    let there = here.beside(|config| config).await;
    assert_unauthorised(there.verify(&ann, &check_blacklist()).await);
    let reads = there.store.calls(Op::Get);
    assert!(there.verify(&bob, &check_blacklist()).await.is_ok());
    assert_eq!(there.store.calls(Op::Get), reads + 1);
}

/// A client whose sign-out was not answered tries again, at another node: whoever says that the
/// session is over refuses it from then on, though it was not the one that ended it.
#[tokio::test(start_paused = true)]
async fn a_node_that_signs_out_what_has_ended_refuses_it_at_once() {
    let (here, there) = two_nodes().await;
    let ann = here.log_in("ann").await;
    let session = there.verify(&ann, &stateless()).await.unwrap();
    assert!(here.sessions.revoke(session.handle()).await.unwrap());
    assert!(there.verify(&ann, &check_blacklist()).await.is_ok());
    assert!(!session.revoke().await.unwrap());
    assert_unauthorised(there.verify(&ann, &check_blacklist()).await);
}

/// A thousand who wait for one session's end are woken by it, on the node that ends it at once and
/// on another after a poll; a refresh wakes nobody, nor does the end of another session.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_end_of_a_session_is_woken_by_it_alone() {
    let (here, there) = two_nodes().await;
    let (ann, bob) = (here.log_in("ann").await, here.log_in("bob").await);
    let mut waiting = JoinSet::new();
    for node in [&here, &there] {
        let session = node.verify(&ann, &stateless()).await.unwrap();
        for _ in 0..500 {
            waiting.spawn(session.revoked());
        }
    }
    let refreshed = here.refresh(&refresh_token(&ann)).await.unwrap();
    here.sessions.revoke(bob.session().handle()).await.unwrap();
    here.pass(Duration::from_secs(30)).await;
    assert!(waiting.try_join_next().is_none());

    here.sessions
        .revoke(refreshed.session().handle())
        .await
        .unwrap();
    settle().await;
    for _ in 0..500 {
        waiting.try_join_next().expect("woken at once").unwrap();
    }
    assert!(waiting.try_join_next().is_none());
    here.pass(POLL).await;
    for _ in 0..500 {
        waiting.try_join_next().expect("woken by the poll").unwrap();
    }
    assert!(waiting.is_empty());
    tokio::time::timeout(MILLISECOND, ann.session().revoked())
        .await
        .expect("it has ended already");
}

/// Who waits is also told when nobody can say any more: the feed is silent and the database away.
#[tokio::test(start_paused = true)]
async fn whoever_waits_is_told_when_nobody_can_say() {
    let (here, there) = two_nodes().await;
    let issued = here.log_in("ann").await;
    let session = there.verify(&issued, &stateless()).await.unwrap();
    let mut waiting = JoinSet::new();
    waiting.spawn(session.revoked());
    here.store.put(Op::RevocationsSince, Fault::Fail);
    here.pass(Duration::from_secs(30)).await;
    assert!(waiting.try_join_next().is_none(), "the database still says");
    here.store.put(Op::Get, Fault::Fail);
    here.pass(STALENESS).await;
    waiting.try_join_next().expect("nobody can say").unwrap();
}

/// Whether a session has expired can wait for an answer: while the node hears what is revoked, a
/// database that is away ends no event stream.
#[tokio::test(start_paused = true)]
async fn whoever_waits_goes_on_waiting_while_the_node_hears() {
    let node = Node::configured(|config| {
        config
            .access_token_lifetime(Duration::from_mins(1))
            .refresh_token_lifetime(Duration::from_mins(10))
    })
    .await;
    let issued = node.log_in("ann").await;
    let mut waiting = JoinSet::new();
    waiting.spawn(issued.session().revoked());
    node.store.put(Op::Get, Fault::Fail);
    node.pass(Duration::from_mins(5)).await;
    assert!(node.store.calls(Op::Get) > 0);
    assert!(waiting.try_join_next().is_none());
    node.pass(Duration::from_mins(6)).await;
    assert!(waiting.try_join_next().is_none(), "nobody says that it has");
    node.store.heal();
    node.pass(Duration::from_mins(2)).await;
    waiting.try_join_next().expect("it has expired").unwrap();
}

/// Who waits is told when the session simply expires.
#[tokio::test(start_paused = true)]
async fn whoever_waits_is_told_when_the_session_expires() {
    let node = Node::configured(|config| {
        config
            .access_token_lifetime(Duration::from_mins(1))
            .refresh_token_lifetime(Duration::from_mins(10))
    })
    .await;
    let issued = node.log_in("ann").await;
    let mut waiting = JoinSet::new();
    waiting.spawn(issued.session().revoked());
    node.pass(Duration::from_mins(9)).await;
    assert!(waiting.try_join_next().is_none());
    node.pass(Duration::from_mins(2)).await;
    waiting.try_join_next().expect("it has expired").unwrap();
}
