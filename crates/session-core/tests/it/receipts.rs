//! Waiting until every node knows of a revocation.

use std::{sync::Arc, time::Duration};

use session_core::{
    BackendError, MemoryStore, NodeId, NodeName, SessionError, async_trait,
    blacklist::{FeedReceiver, RevocationFeed, Unreliable},
    clock::ManualClock,
    receipts::Confirmation,
    sessions::Attendance,
    store::{NodeRecord, SessionStore as _},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    blacklist::two_nodes,
    faulty_store::{Fault, FaultyStore, Op},
    node::{Node, assert_unauthorised, check_blacklist, settle, user_id},
};

const POLL: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(10);
/// A lease, with the staleness that is configured by default.
const LEASE: Duration = Duration::from_secs(16);

/// Design §7, INV-2: when the receipt says everywhere, the other node's blacklist refuses the session,
/// without a read of the database.
#[tokio::test(start_paused = true)]
async fn a_receipt_says_that_every_node_refuses_the_session() {
    let (here, there) = two_nodes().await;
    let mut issued = Vec::new();
    for user in ["ann", "ann", "bob"] {
        issued.push(here.log_in(user).await);
    }
    let reads = there.store.calls(Op::Get);
    let ann = user_id("ann");
    let ann = here.sessions.revoke_and_wait(&ann, DEADLINE).await.unwrap();
    assert_eq!(ann.ended().len(), 2);
    assert!(ann.confirmation().is_complete(), "{ann:?}");
    for of_ann in &issued[..2] {
        assert_unauthorised(there.verify(of_ann, &check_blacklist()).await);
    }
    assert!(there.verify(&issued[2], &check_blacklist()).await.is_ok());

    let handle = issued[2].session().handle();
    let bob = there.sessions.revoke_and_wait(handle, DEADLINE).await;
    assert!(bob.unwrap().confirmation().is_complete());
    assert_unauthorised(here.verify(&issued[2], &check_blacklist()).await);
    assert_eq!(there.store.calls(Op::Get), reads);

    // A revocation that was there already is confirmed all the same.
    let again = here.sessions.revoke_and_wait(handle, DEADLINE).await;
    let again = again.unwrap();
    assert!(again.ended().is_empty() && again.confirmation().is_complete());
}

/// Design §7: a node that hears nothing is named, and the sessions have ended all the same.
#[tokio::test(start_paused = true)]
async fn a_node_that_hears_nothing_is_named() {
    let here = Node::with(FaultyStore::shared(POLL), |builder| builder).await;
    let deaf = here.store.clone().with_feed(HearsNothing);
    let _deaf = Node::bare(deaf, here.clock.clone(), |builder| {
        builder.config(|config| config.node_name("deaf"))
    })
    .await
    .unwrap();
    let issued = here.log_in("ann").await;
    let handle = issued.session().handle();
    let receipt = here.sessions.revoke_and_wait(handle, DEADLINE).await;
    let receipt = receipt.unwrap();
    assert_eq!(receipt.ended(), std::slice::from_ref(handle));
    let missing: Vec<&str> = receipt
        .confirmation()
        .missing()
        .iter()
        .map(NodeName::as_str)
        .collect();
    assert_eq!(missing, ["deaf"]);
}

/// Design §7: a node that died is named until its lease is over by the store's clock, and not waited
/// for any longer.
#[tokio::test(start_paused = true)]
async fn a_node_that_died_is_waited_for_until_its_lease_is_over() {
    let clock = Arc::new(ManualClock::default());
    let store = MemoryStore::with_clock(clock.clone());
    let store = FaultyStore::shared_over(store, POLL);
    let here = Node::bare(store, clock, |builder| builder).await.unwrap();
    let dead = NodeRecord {
        id: NodeId::try_from("1").unwrap(),
        name: NodeName::try_from("dead").unwrap(),
        acknowledged: 0,
    };
    here.store.inner().attend(&dead, LEASE).await.unwrap();
    let confirmation = here.sessions.confirm_everywhere(POLL).await;
    assert_eq!(confirmation.missing(), [dead.name]);

    let sessions = here.sessions.clone();
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { sessions.confirm_everywhere(Duration::from_hours(1)).await });
    here.pass(LEASE - POLL).await;
    assert!(waiting.try_join_next().is_none());
    here.pass(POLL).await;
    settle().await;
    let confirmation = waiting.join_next().await.unwrap().unwrap();
    assert!(confirmation.is_complete(), "{confirmation:?}");
}

/// Design §7: a registry that has lost the node that waits may have lost others, so nobody can say who
/// knows; when the node is back in it, it can.
#[tokio::test(start_paused = true)]
async fn a_registry_that_has_lost_nodes_confirms_nothing() {
    let (here, there) = two_nodes().await;
    for node in here.store.inner().attending().await.unwrap() {
        here.store.inner().leave(&node.id).await.unwrap();
    }
    let confirmation = here.sessions.confirm_everywhere(Duration::ZERO).await;
    assert!(
        matches!(
            confirmation,
            Confirmation::Unknown(SessionError::Unavailable(BackendError::Unregistered))
        ),
        "{confirmation:?}"
    );
    let confirmation = here.sessions.confirm_everywhere(DEADLINE).await;
    assert!(confirmation.is_complete(), "{confirmation:?}");
    drop(there);
}

/// Design §7, H7: what a node acknowledged before the database went back in time says nothing of what
/// was revoked since.
#[tokio::test(start_paused = true)]
async fn a_value_of_before_the_database_went_back_acknowledges_nothing() {
    let here = Node::with(FaultyStore::shared(POLL), |builder| builder).await;
    let of_the_future = NodeRecord {
        id: NodeId::try_from("1").unwrap(),
        name: NodeName::try_from("of the future").unwrap(),
        acknowledged: u64::MAX / 4,
    };
    let registry = here.store.inner();
    registry.attend(&of_the_future, LEASE).await.unwrap();
    let confirmation = here.sessions.confirm_everywhere(Duration::ZERO).await;
    assert!(
        confirmation.missing().contains(&of_the_future.name),
        "{confirmation:?}"
    );
    registry.leave(&of_the_future.id).await.unwrap();

    // A node that finds the barrier lower than what it acknowledged takes that back.
    assert!(
        here.sessions
            .confirm_everywhere(DEADLINE)
            .await
            .is_complete()
    );
    let before = registry.attending().await.unwrap();
    here.store.set_barrier(1);
    here.pass(POLL).await;
    here.pass(POLL).await;
    let after = registry.attending().await.unwrap();
    assert_eq!(after.len(), 1);
    assert_ne!(after[0].id, before[0].id);
    assert!(after[0].acknowledged <= 1, "{after:?}");
}

/// Design §7: a node whose lease is over asks the database, whatever its feed says, and goes by its
/// set again when it is back in the registry.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_waited_for_asks_the_database() {
    let (here, there) = two_nodes().await;
    let issued = here.log_in("ann").await;
    here.store.put(Op::Attend, Fault::Fail);
    let attendance = async || here.sessions.health().await.attendance;
    assert_eq!(attendance().await, Attendance::Registered);
    for _ in 0..LEASE.as_secs() {
        here.pass(POLL).await;
    }
    assert_eq!(attendance().await, Attendance::Lapsed);
    let health = here.sessions.health().await.blacklist;
    assert_eq!(health.unreliable, Some(Unreliable::Unregistered));
    let reads = here.store.calls(Op::Get);
    assert!(here.verify(&issued, &check_blacklist()).await.is_ok());
    assert_eq!(here.store.calls(Op::Get), reads + 1);

    here.store.heal();
    for _ in 0..3 {
        here.pass(POLL).await;
    }
    assert_eq!(attendance().await, Attendance::Registered);
    assert!(here.sessions.health().await.blacklist.is_fresh());
    assert!(here.verify(&issued, &check_blacklist()).await.is_ok());
    assert_eq!(here.store.calls(Op::Get), reads + 1);
    drop(there);
}

/// A store that does not say which nodes there are leaves it unknown, and the sessions have ended.
#[tokio::test(start_paused = true)]
async fn what_the_store_does_not_say_is_unknown() {
    let (here, _there) = two_nodes().await;
    for op in [Op::RaiseBarrier, Op::Attending] {
        let issued = here.log_in("ann").await;
        here.store.put(op, Fault::Fail);
        let handle = issued.session().handle();
        let receipt = here.sessions.revoke_and_wait(handle, POLL).await.unwrap();
        assert_eq!(receipt.ended(), std::slice::from_ref(handle));
        assert!(matches!(receipt.confirmation(), Confirmation::Unknown(_)));
        here.store.heal();
    }
    assert!(
        here.sessions
            .confirm_everywhere(DEADLINE)
            .await
            .is_complete()
    );
}

/// A node that is alone with its store has nobody to wait for and costs nothing.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_alone_waits_for_nobody() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let handle = issued.session().handle();
    let receipt = node.sessions.revoke_and_wait(handle, DEADLINE).await;
    assert!(receipt.unwrap().confirmation().is_complete());
    node.pass(LEASE).await;
    let health = node.sessions.health().await;
    assert_eq!(health.attendance, Attendance::NotNeeded);
    for op in [Op::Attend, Op::Barrier, Op::RaiseBarrier, Op::Attending] {
        assert_eq!(node.store.calls(op), 0, "{op:?}");
    }
}

/// A node that shuts down leaves the registry, and nobody waits for it.
#[tokio::test(start_paused = true)]
async fn a_node_that_shuts_down_leaves() {
    let (here, there) = two_nodes().await;
    assert_eq!(here.store.inner().attending().await.unwrap().len(), 2);
    there.sessions.shutdown().await;
    assert_eq!(here.store.inner().attending().await.unwrap().len(), 1);
    let health = there.sessions.health().await;
    assert_eq!(health.attendance, Attendance::Lapsed);
    assert!(!health.blacklist.is_fresh());
    let confirmation = here.sessions.confirm_everywhere(Duration::ZERO).await;
    assert_eq!(confirmation.missing().len(), 1, "{confirmation:?}");
    assert!(
        here.sessions
            .confirm_everywhere(DEADLINE)
            .await
            .is_complete()
    );
}

/// A node that nobody waits for asks the registry once a second and writes to it every few, however
/// much is revoked.
#[tokio::test(start_paused = true)]
async fn the_registry_costs_little_while_nobody_waits() {
    let here = Node::with(FaultyStore::shared(POLL), |builder| builder).await;
    let mut issued = Vec::new();
    for _ in 0..50 {
        issued.push(here.log_in("ann").await);
    }
    let before = [Op::Attend, Op::Barrier].map(|op| here.store.calls(op));
    for _ in 0..60 {
        here.pass(POLL).await;
    }
    let [writes, reads] = [Op::Attend, Op::Barrier].map(|op| here.store.calls(op));
    let (writes, reads) = (writes - before[0], reads - before[1]);
    assert!(writes <= 15 && writes + reads <= 60, "{writes} {reads}");

    let before = [Op::Attend, Op::Barrier].map(|op| here.store.calls(op));
    for one in &issued {
        assert!(here.sessions.revoke(one.session().handle()).await.unwrap());
    }
    here.pass(POLL).await;
    let [writes, reads] = [Op::Attend, Op::Barrier].map(|op| here.store.calls(op));
    assert!(writes - before[0] <= 1 && reads - before[1] <= 8);
}

#[derive(Debug)]
struct HearsNothing;

#[async_trait]
impl RevocationFeed for HearsNothing {
    async fn run(&self, _: FeedReceiver, stop: CancellationToken) {
        stop.cancelled().await;
    }
}
