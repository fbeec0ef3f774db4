//! Keys for refresh tokens: made, rotated, removed, and not known everywhere yet.

use std::time::Duration;

use session_core::{KeyId, store::KeyPurpose};

use crate::{
    faulty_store::{Fault, Op},
    node::{
        Node, assert_theft, assert_unauthorised, assert_unavailable, keys, refresh_token,
        secret_hash, settle,
    },
};

const SECOND: Duration = Duration::from_secs(1);

/// F11, F16: a refresh token that names an unknown key is unauthorised when the keys could be read,
/// and 503 when they could not: the key may be one that another node has just made.
#[tokio::test]
async fn an_unknown_refresh_key_is_looked_up_before_it_is_refused() {
    let here = Node::new().await;
    let there = here.beside(|config| config).await;
    there.sessions.rotate_refresh_key().await.unwrap();
    here.advance(Duration::from_mins(1) + SECOND);
    let issued = there.log_in("ann").await;
    here.store.put(Op::LoadKeys, Fault::Fail);
    assert_unavailable(here.refresh(&refresh_token(&issued)).await);
    here.store.heal();
    here.advance(SECOND);
    assert!(here.refresh(&refresh_token(&issued)).await.is_ok());
    let newest = &keys(&here, KeyPurpose::Refresh).await[0].id;
    assert!(here.sessions.remove_key(newest).await.unwrap());
    assert_unauthorised(here.refresh(&refresh_token(&issued)).await);
}

/// Design §5: refresh keys are rotated without logging anybody out and without forking a lineage:
/// neither who refreshes, nor a slow tab, nor nodes that disagree about the newest key.
#[tokio::test]
async fn refresh_keys_rotate_without_logging_anybody_out() {
    let here = Node::configured(|config| config.rotation_grace(Duration::from_mins(10))).await;
    let there = here
        .beside(|config| config.rotation_grace(Duration::from_mins(10)))
        .await;
    let first = here.log_in("ann").await;
    let resting = here.log_in("bob").await;
    let mut newest = refresh_token(&first);
    for round in 0..6 {
        let [one, other] = if round % 2 == 0 {
            [&here, &there]
        } else {
            [&there, &here]
        };
        one.sessions.rotate_refresh_key().await.unwrap();
        one.advance(Duration::from_mins(1) + SECOND);
        let slow_tab = newest.clone();
        let on_one = refresh_token(&one.refresh(&newest).await.unwrap());
        let on_other = refresh_token(&other.refresh(&slow_tab).await.unwrap());
        assert_eq!(on_one.expose(), on_other.expose(), "round {round}");
        newest = on_one;
    }
    assert_eq!(keys(&here, KeyPurpose::Refresh).await.len(), 7);
    let slowest = there.refresh(&refresh_token(&first)).await.unwrap();
    assert_eq!(refresh_token(&slowest).expose(), newest.expose());
    assert!(there.refresh(&refresh_token(&resting)).await.is_ok());
    here.advance(Duration::from_mins(10));
    assert_theft(here.refresh(&refresh_token(&first)).await);
}

/// INV-5: a slow tab is no thief on a node that has not read the newest keys yet: it reads them, and
/// while it cannot, it says that it does not know.
#[tokio::test]
async fn a_node_that_lacks_a_key_blames_nobody() {
    for steps in [1, 2, 3] {
        let here = Node::new().await;
        let there = here.beside(|config| config).await;
        let first = here.log_in("ann").await;
        here.sessions.rotate_refresh_key().await.unwrap();
        here.advance(Duration::from_mins(1) + SECOND);
        let mut newest = refresh_token(&first);
        for _ in 0..steps {
            newest = refresh_token(&here.refresh(&newest).await.unwrap());
        }
        there.store.put(Op::LoadKeys, Fault::Fail);
        assert_unavailable(there.refresh(&refresh_token(&first)).await);
        there.store.heal();
        there.advance(SECOND);
        let slow = there.refresh(&refresh_token(&first)).await.unwrap();
        assert_eq!(refresh_token(&slow).expose(), newest.expose(), "{steps}");
    }
}

/// INV-5: when the database loses a rotation and a key is rotated, one secret can be handed out under
/// two keys. Both holders are honest, and stay on one line.
#[tokio::test]
async fn a_secret_handed_out_under_two_keys_stays_on_one_line() {
    for owner_first in [true, false] {
        let node = Node::new().await;
        let first = node.log_in("ann").await;
        let backup = node.row(first.session().handle()).await.unwrap();
        let owner = refresh_token(&node.refresh(&refresh_token(&first)).await.unwrap());
        node.store.restore(&backup).await;
        node.sessions.rotate_refresh_key().await.unwrap();
        node.advance(Duration::from_mins(1) + SECOND);
        let tab = refresh_token(&node.refresh(&refresh_token(&first)).await.unwrap());
        assert_eq!(secret_hash(&owner), secret_hash(&tab));
        assert_ne!(owner.expose(), tab.expose());
        let [one, other] = if owner_first {
            [owner, tab]
        } else {
            [tab, owner]
        };
        let one = node.refresh(&one).await.unwrap();
        let other = node.refresh(&other).await.unwrap();
        assert_eq!(refresh_token(&one).expose(), refresh_token(&other).expose());
    }
}

/// D4: removing a refresh key ends the sessions whose current token was made under it, for slow
/// tabs too; nobody is called a thief for it, and who goes on with a later key does.
#[tokio::test]
async fn removing_a_refresh_key_calls_nobody_a_thief() {
    let node = Node::configured(|config| config.rotation_grace(Duration::from_mins(10))).await;
    let ids = async || -> Vec<KeyId> {
        keys(&node, KeyPurpose::Refresh)
            .await
            .into_iter()
            .map(|key| key.id)
            .collect()
    };
    let first = node.log_in("ann").await;
    node.sessions.rotate_refresh_key().await.unwrap();
    node.advance(Duration::from_mins(1) + SECOND);
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    let leaked = ids().await.remove(0);
    node.sessions.rotate_refresh_key().await.unwrap();
    node.advance(Duration::from_mins(1) + SECOND);
    let third = node.refresh(&refresh_token(&second)).await.unwrap();
    let others = node.log_in("bob").await;

    assert!(node.sessions.remove_key(&leaked).await.unwrap());
    node.advance(SECOND);
    assert_unauthorised(node.refresh(&refresh_token(&second)).await);
    assert_unauthorised(node.refresh(&refresh_token(&first)).await);
    assert!(node.refresh(&refresh_token(&third)).await.is_ok());
    let newer = node.refresh(&refresh_token(&others)).await.unwrap();

    let newest = ids().await.remove(0);
    assert!(node.sessions.remove_key(&newest).await.unwrap());
    node.advance(SECOND);
    assert_unauthorised(node.refresh(&refresh_token(&newer)).await);
    assert_unauthorised(node.refresh(&refresh_token(&others)).await);
}

/// A replaced refresh key stays for as long as a token made under it can live, and then leaves.
#[tokio::test(start_paused = true)]
async fn a_replaced_refresh_key_stays_as_long_as_its_tokens() {
    let lifetime = Duration::from_hours(24 * 400);
    let node = Node::configured(|config| config.refresh_token_lifetime(lifetime)).await;
    let resting = node.log_in("ann").await;
    let look = async || {
        tokio::time::sleep(Duration::from_secs(30)).await;
        settle().await;
        keys(&node, KeyPurpose::Refresh).await.len()
    };
    node.sessions.rotate_refresh_key().await.unwrap();
    assert_eq!(look().await, 2);
    node.advance(lifetime - SECOND);
    assert_eq!(look().await, 2);
    assert!(node.refresh(&refresh_token(&resting)).await.is_ok());
    node.advance(Duration::from_mins(3));
    assert_eq!(look().await, 1);
}
