//! Signing keys: made, rotated, removed and asked for.

use std::{sync::Arc, time::Duration};

use session_core::{
    NewSession, clock::ManualClock, config::AccessKeyKind, store::KeyPurpose,
    token::TokenRejection, verify::PresentedAntiCsrf,
};
use tokio::task::JoinSet;

use crate::{
    faulty_store::{Fault, FaultyStore, Op},
    node::{
        Node, all_at_once, assert_rejected, assert_unavailable, keys, naming_another_key,
        refresh_token, settle, signing_key, stateless, user_id,
    },
};

const SECOND: Duration = Duration::from_secs(1);
const WEEK: Duration = Duration::from_hours(168);

/// D7: nodes that start at once on an empty store agree on one key of each kind, and each verifies
/// what the other signs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_once_agree_on_one_key() {
    let (store, clock) = (FaultyStore::new(), Arc::new(ManualClock::default()));
    let starts = (0..6).map(|_| Node::bare(store.clone(), clock.clone(), |builder| builder));
    let nodes: Vec<Node> = all_at_once(starts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    for purpose in [KeyPurpose::AccessDynamic, KeyPurpose::Refresh] {
        assert_eq!(keys(&nodes[0], purpose).await.len(), 1, "{purpose:?}");
    }
    let issued = nodes[0].log_in("ann").await;
    for node in &nodes {
        assert_eq!(signing_key(&node.log_in("bob").await), signing_key(&issued));
        assert!(node.verify(&issued, &stateless()).await.is_ok());
        assert!(node.refresh(&refresh_token(&issued)).await.is_ok());
    }
}

/// D7: at the instant of rotation nodes make one key between them, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_rotate_at_once_make_one_key() {
    let here = Node::new().await;
    let there = here.beside(|config| config).await;
    here.advance(WEEK - Duration::from_secs(30));
    let issued = all_at_once((0..16).map(|index| {
        let sessions = [&here, &there][index % 2].sessions.clone();
        async move {
            sessions
                .create(NewSession::new(user_id("ann")))
                .await
                .unwrap()
        }
    }))
    .await;
    // A node whose own upkeep was at the keys just then let its requests go on without waiting.
    for node in [&here, &there] {
        until(|| published(node).len() == 2).await;
    }
    assert_eq!(keys(&here, KeyPurpose::AccessDynamic).await.len(), 2);
    let old = signing_key(&issued[0]);
    assert!(
        issued.iter().all(|issued| signing_key(issued) == old),
        "published, not used yet"
    );
    here.advance(Duration::from_mins(1));
    let (one, other) = (here.log_in("ann").await, there.log_in("ann").await);
    assert_eq!(signing_key(&one), signing_key(&other));
    assert_ne!(signing_key(&one), old);
}

/// Wire §1.4: the schedule of 168 hours, turned by the clock: the next key is made a minute before
/// it signs, tokens of the old one are good until they expire, and it leaves the JWKS and the
/// store two lifetimes later.
#[tokio::test(start_paused = true)]
async fn a_signing_key_serves_a_week_and_leaves_later() {
    let node = Node::new().await;
    let first = node.log_in("ann").await;
    let old = signing_key(&first);
    assert!(old.as_str().starts_with("d-"));
    assert_eq!(published(&node), [old.as_str()]);

    node.advance(WEEK - Duration::from_mins(1));
    tokio::time::sleep(Duration::from_secs(31)).await;
    settle().await;
    let both = published(&node);
    assert_eq!(both.len(), 2);
    let last_of_the_old = node.log_in("ann").await;
    assert_eq!(signing_key(&last_of_the_old), old);

    node.advance(Duration::from_mins(1));
    let first_of_the_new = node.log_in("ann").await;
    assert_ne!(signing_key(&first_of_the_new), old);
    assert!(node.verify(&last_of_the_old, &stateless()).await.is_ok());
    node.advance(Duration::from_mins(58));
    assert!(node.verify(&last_of_the_old, &stateless()).await.is_ok());
    assert_eq!(published(&node).len(), 2);

    node.advance(Duration::from_hours(1) + Duration::from_mins(2));
    assert_eq!(published(&node), [signing_key(&first_of_the_new).as_str()]);
    tokio::time::sleep(Duration::from_secs(30)).await;
    settle().await;
    assert_eq!(keys(&node, KeyPurpose::AccessDynamic).await.len(), 1);
    assert!(
        node.refresh(&refresh_token(&first)).await.is_ok(),
        "nobody was logged out"
    );
}

/// D8: while the next key cannot be made, the present one goes on for as long as its tokens can be
/// verified, and not longer.
#[tokio::test]
async fn the_present_key_goes_on_while_the_next_cannot_be_made() {
    let node = Node::new().await;
    let first = node.log_in("ann").await;
    node.store.put(Op::InsertKey, Fault::Fail);
    node.advance(WEEK - Duration::from_secs(30));
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    assert_eq!(signing_key(&second), signing_key(&first));
    node.advance(Duration::from_hours(2));
    assert_unavailable(node.refresh(&refresh_token(&second)).await);
    assert_unavailable(node.sessions.create(NewSession::new(user_id("ann"))).await);
    assert!(!node.sessions.health().await.can_sign);
    node.store.heal();
    let third = node.refresh(&refresh_token(&second)).await.unwrap();
    assert_ne!(signing_key(&third), signing_key(&first));
}

/// D6: a node verifies what another signs with a key made a moment ago, without waiting.
#[tokio::test]
async fn a_key_made_elsewhere_is_found_when_a_token_names_it() {
    let here = Node::new().await;
    let there = here.beside(|config| config).await;
    here.sessions.rotate_signing_key().await.unwrap();
    here.advance(Duration::from_mins(1));
    let issued = here.log_in("ann").await;
    assert_eq!(keys(&here, KeyPurpose::AccessDynamic).await.len(), 2);
    assert!(there.verify(&issued, &stateless()).await.is_ok());
}

/// D4: a removed key stops verifying at once where it was removed, and elsewhere with the next
/// look at the keys; a new one signs.
#[tokio::test(start_paused = true)]
async fn a_removed_key_stops_verifying() {
    let here = Node::new().await;
    let there = here.beside(|config| config).await;
    let issued = here.log_in("ann").await;
    assert!(there.verify(&issued, &stateless()).await.is_ok());
    let leaked = signing_key(&issued);
    here.advance(SECOND);
    assert!(here.sessions.remove_key(&leaked).await.unwrap());
    assert_rejected(
        here.verify(&issued, &stateless()).await,
        TokenRejection::UnknownKey,
    );
    here.pass(Duration::from_secs(31)).await;
    assert_rejected(
        there.verify(&issued, &stateless()).await,
        TokenRejection::UnknownKey,
    );
    assert!(!here.sessions.remove_key(&leaked).await.unwrap());
    let refreshed = there.refresh(&refresh_token(&issued)).await.unwrap();
    assert_ne!(signing_key(&refreshed), leaked);
    assert!(here.verify(&refreshed, &stateless()).await.is_ok());
}

/// D4: a key that could not be removed from the store is not trusted here in any case.
#[tokio::test]
async fn a_key_whose_removal_fails_is_not_trusted_here() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    node.store.put(Op::RemoveKey, Fault::Fail);
    node.store.put(Op::LoadKeys, Fault::Fail);
    assert_unavailable(node.sessions.remove_key(&signing_key(&issued)).await);
    assert_rejected(
        node.verify(&issued, &stateless()).await,
        TokenRejection::UnknownKey,
    );
}

/// D2, wire cases 9, 10 and 75: however many tokens name however many unknown keys, the keys are
/// read at most once a second.
#[tokio::test]
async fn tokens_that_name_unknown_keys_cause_one_reading_a_second() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let flood = async |from: usize| {
        let outcomes = all_at_once((from..from + 500).map(|number| {
            let sessions = node.sessions.clone();
            let token = naming_another_key(&issued, &format!("d-{number}"));
            async move {
                sessions
                    .verify(&token, PresentedAntiCsrf::NotChecked, &stateless())
                    .await
            }
        }))
        .await;
        for outcome in outcomes {
            assert_rejected(outcome, TokenRejection::UnknownKey);
        }
    };
    node.advance(SECOND);
    let reads = node.store.calls(Op::LoadKeys);
    flood(0).await;
    assert_eq!(node.store.calls(Op::LoadKeys), reads + 1);
    flood(1_000).await;
    assert_eq!(node.store.calls(Op::LoadKeys), reads + 1);
    node.advance(SECOND);
    flood(2_000).await;
    assert_eq!(node.store.calls(Op::LoadKeys), reads + 2);
    assert!(node.verify(&issued, &stateless()).await.is_ok());
}

/// D2, H9: while the store hangs, whoever names an unknown key waits for one attempt to read the
/// keys, not for those of everybody in the queue before.
#[tokio::test(start_paused = true)]
async fn tokens_that_name_unknown_keys_do_not_queue_while_the_store_hangs() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    node.pass(Duration::from_secs(2)).await;
    node.store.put(Op::LoadKeys, Fault::Hang);
    let reads = node.store.calls(Op::LoadKeys);
    let mut flood = JoinSet::new();
    for number in 0..200 {
        let sessions = node.sessions.clone();
        let token = naming_another_key(&issued, &format!("d-{number}"));
        flood.spawn(async move {
            sessions
                .verify(&token, PresentedAntiCsrf::NotChecked, &stateless())
                .await
        });
    }
    node.pass(Duration::from_secs(5)).await;
    for _ in 0..200 {
        let outcome = flood.try_join_next().expect("answered in time").unwrap();
        assert_rejected(outcome, TokenRejection::UnknownKey);
    }
    assert!(node.store.calls(Op::LoadKeys) <= reads + 2);
}

/// C5, wire cases 2 and 13: a token of a static key where dynamic ones are expected asks for a
/// refresh, which repairs it; and the reverse.
#[tokio::test]
async fn a_token_of_the_other_kind_of_key_is_repaired_by_a_refresh() {
    let dynamic = Node::new().await;
    let fixed = dynamic
        .beside(|config| config.signing_key_kind(AccessKeyKind::Static))
        .await;
    let of_fixed = fixed.log_in("ann").await;
    assert!(signing_key(&of_fixed).as_str().starts_with("s-"));
    dynamic.advance(SECOND);
    for (node, issued) in [(&dynamic, of_fixed), (&fixed, dynamic.log_in("ann").await)] {
        assert_rejected(
            node.verify(&issued, &stateless()).await,
            TokenRejection::WrongKeyKind,
        );
        let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
        assert!(node.verify(&refreshed, &stateless()).await.is_ok());
    }
}

/// The ids of the keys in the node's JWKS.
fn published(node: &Node) -> Vec<String> {
    let jwks = serde_json::to_value(node.sessions.jwks()).unwrap();
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// Lets the other tasks go on until it is so.
async fn until(so: impl Fn() -> bool) {
    let holds = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), holds)
        .await
        .unwrap();
}
