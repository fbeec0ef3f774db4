//! The registry of nodes and the barrier.

use std::{collections::HashSet, sync::Arc, time::Duration};

use session_core::{
    NodeId, NodeName,
    store::{NodeRecord, SessionStore},
};
use tokio::time;

use super::{
    TestDatabase, race,
    records::{NOW_MS, node},
};

/// A node is in the registry for every process, byte for byte, until it leaves.
pub async fn a_node_attends_until_it_leaves(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    assert!(attending(&*store).await.is_empty());
    let first = NodeRecord {
        id: NodeId::try_from("x".repeat(NodeId::MAX_BYTES)).unwrap(),
        name: NodeName::try_from("é ' \" \\ ${}; -- 名".to_owned() + &" ".repeat(9)).unwrap(),
        acknowledged: u64::try_from(NOW_MS).unwrap(),
    };
    let second = NodeRecord {
        name: first.name.clone(),
        ..node("second")
    };
    store.attend(&first, LONG).await.unwrap();
    other.attend(&second, LONG).await.unwrap();
    for store in [&store, &other] {
        assert_eq!(attending(&**store).await, [second.clone(), first.clone()]);
    }
    let renamed = NodeRecord {
        name: node("another name").name,
        ..second.clone()
    };
    store.attend(&renamed, LONG).await.unwrap();
    assert_eq!(attending(&*other).await, [renamed, first.clone()]);
    for _ in 0..2 {
        other.leave(&second.id).await.unwrap();
        assert_eq!(attending(&*store).await, std::slice::from_ref(&first));
    }
}

/// A node that does not renew its lease is no longer there when it is over; one that does, is. And
/// one whose lease was over may come back.
pub async fn a_lease_ends_by_itself_and_a_renewal_extends_it(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let (dead, alive) = (node("dead"), node("alive"));
    other.attend(&dead, SHORT).await.unwrap();
    other.attend(&alive, SHORT).await.unwrap();
    store.attend(&alive, LONG).await.unwrap();
    while attending(&*store).await != [alive.clone()] {
        time::sleep(SHORT).await;
    }
    assert_eq!(attending(&*other).await, std::slice::from_ref(&alive));
    store.attend(&dead, LONG).await.unwrap();
    assert_eq!(attending(&*other).await, [alive, dead]);
}

/// A renewal that arrives late takes back nothing that was acknowledged.
pub async fn an_acknowledgement_is_not_taken_back(database: &dyn TestDatabase) {
    let store = database.open().await;
    for (acknowledged, expected) in [(5, 5), (4, 5), (10, 10), (9, 10), (0, 10)] {
        let node = NodeRecord {
            acknowledged,
            ..node("one")
        };
        store.attend(&node, LONG).await.unwrap();
        assert_eq!(attending(&*store).await[0].acknowledged, expected);
    }
}

/// Of fifty who raise the barrier at once, each gets a value of its own; whoever looks sees it rise
/// and never fall, and no less than what was acknowledged before.
pub async fn of_racing_raisers_each_gets_a_barrier_of_its_own(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    assert_eq!(stores[0].barrier().await.unwrap(), 0);
    let seen = race(60, |number| {
        let store = Arc::clone(&stores[number % 2]);
        async move {
            if number < 50 {
                let raised = store.raise_barrier().await.unwrap();
                assert!(store.barrier().await.unwrap() >= raised);
                return vec![raised];
            }
            let mut seen = Vec::new();
            for _ in 0..5 {
                seen.push(store.barrier().await.unwrap());
            }
            seen
        }
    })
    .await;
    let (raised, looked) = seen.split_at(50);
    let distinct: HashSet<u64> = raised.iter().flatten().copied().collect();
    assert_eq!(distinct.len(), 50);
    assert!(looked.iter().all(|seen| seen.is_sorted()));
    let last = stores[1].barrier().await.unwrap();
    assert_eq!(distinct.iter().max(), Some(&last));
    assert!(stores[0].raise_barrier().await.unwrap() > last);
}

/// A database that went back must not give out a barrier that a node has acknowledged: every one is
/// at least the time in milliseconds.
pub async fn a_barrier_is_later_than_those_that_were_lost(database: &dyn TestDatabase) {
    let store = database.open().await;
    let before = store.clock_ms().await.unwrap();
    let barrier = i64::try_from(store.raise_barrier().await.unwrap()).unwrap();
    assert!(barrier >= before.unwrap_or(NOW_MS), "{barrier} {before:?}");
}

/// A purge takes the nodes whose lease is over and no other.
pub async fn a_node_that_is_gone_is_purged(database: &dyn TestDatabase) {
    let store = database.open().await;
    let acknowledging = NodeRecord {
        acknowledged: 7,
        ..node("gone")
    };
    store.attend(&acknowledging, SHORT).await.unwrap();
    store.attend(&node("here"), LONG).await.unwrap();
    while attending(&*store).await.len() > 1 {
        time::sleep(SHORT).await;
    }
    store.purge_expired(NOW_MS, 10).await.unwrap();
    assert_eq!(attending(&*store).await, [node("here")]);
    // Nothing is left of it that could come back with it.
    store.attend(&node("gone"), LONG).await.unwrap();
    let back = attending(&*store).await;
    assert_eq!(back, [node("gone"), node("here")]);
}

/// In the order of their ids.
async fn attending(store: &dyn SessionStore) -> Vec<NodeRecord> {
    let mut nodes = store.attending().await.unwrap();
    nodes.sort_by(|one, other| one.id.cmp(&other.id));
    nodes
}

/// Longer than any case takes.
const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_millis(30);
