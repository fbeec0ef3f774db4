//! Refresh: one lineage, the window, and theft.
//!
//! Of part F, what needs several processes or a database is elsewhere: F6 on three processes and
//! F17 in the store suites, F8 over a real socket and F12 in the HTTP suite.

use std::time::Duration;

use session_core::{
    ClientTokens, RefreshToken, SessionError, clock::unix_ms, observer::ReplayClass,
    verify::PresentedAntiCsrf,
};

use crate::{
    faulty_store::{FaultyStore, Op},
    node::{
        Listener, Node, Told, all_at_once, assert_theft, assert_unauthorised, check_database,
        refresh_token, secret_hash, user_id,
    },
};

const MILLISECOND: Duration = Duration::from_millis(1);
const GRACE: Duration = Duration::from_secs(30);

/// F1: after the window, the session is gone when the refresh returns, one event names user and
/// handle, and a second replay is nobody's.
#[tokio::test]
async fn a_replay_after_the_window_ends_the_session_and_is_told_once() {
    let (listener, mut heard) = Listener::new();
    let node = Node::with(FaultyStore::new(), |builder| builder.observer(listener)).await;
    let first = node.log_in("ann").await;
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    node.advance(GRACE);

    match node.refresh(&refresh_token(&first)).await {
        Err(SessionError::TokenTheftDetected { user, handle }) => {
            assert_eq!((user.as_str(), &handle), ("ann", first.session().handle()));
        }
        outcome => panic!("{outcome:?}"),
    }
    assert_eq!(node.row(first.session().handle()).await, None);
    assert_unauthorised(node.refresh(&refresh_token(&first)).await);
    assert_unauthorised(node.refresh(&refresh_token(&second)).await);
    assert_unauthorised(node.verify(&second, &check_database()).await);

    let event = heard.theft().await;
    assert_eq!(event.user, user_id("ann"));
    assert_eq!(&event.handle, first.session().handle());
    assert_eq!(
        (event.class, event.revoked),
        (ReplayClass::AfterGrace, true)
    );
    assert_eq!(heard.rest().await, []);
}

/// F2: inside the window a replay gets the current token, writes nothing and does not move the
/// window.
#[tokio::test]
async fn a_replay_inside_the_window_gets_the_same_token_and_moves_nothing() {
    let (listener, mut heard) = Listener::new();
    let node = Node::with(FaultyStore::new(), |builder| builder.observer(listener)).await;
    let first = node.log_in("ann").await;
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    let row = node.row(first.session().handle()).await;
    node.advance(GRACE - MILLISECOND);

    let replay = node.refresh(&refresh_token(&first)).await.unwrap();
    assert_eq!(
        refresh_token(&replay).expose(),
        refresh_token(&second).expose()
    );
    assert_eq!(
        unix_ms(replay.tokens().access_token_expires_at()),
        unix_ms(second.tokens().access_token_expires_at()),
        "a replay must not outlive the revocation record"
    );
    assert_eq!(node.row(first.session().handle()).await, row);
    match heard.next().await {
        Told::Replay(event) => {
            assert_eq!(event.steps_behind, 1);
            assert_eq!(event.superseded_for, GRACE - MILLISECOND);
            assert_eq!(event.user, user_id("ann"));
        }
        told @ Told::Theft(_) => panic!("{told:?}"),
    }
    node.advance(MILLISECOND);
    assert_theft(node.refresh(&refresh_token(&first)).await);
}

/// F3, as design §5 has it: who is several steps behind is no thief while the window is open, and
/// one when it is over.
#[tokio::test]
async fn a_tab_several_steps_behind_is_honest_while_the_window_is_open() {
    let node = Node::new().await;
    let first = refresh_token(&node.log_in("ann").await);
    let mut newest = first.clone();
    for _ in 0..3 {
        newest = refresh_token(&node.refresh(&newest).await.unwrap());
        node.advance(Duration::from_secs(5));
    }
    let slow = node.refresh(&first).await.unwrap();
    assert_eq!(refresh_token(&slow).expose(), newest.expose());
    node.advance(GRACE);
    assert_theft(node.refresh(&first).await);
}

/// F3: a row remembers eight rotations; a ninth step behind is theft even at the same instant.
#[tokio::test]
async fn more_than_eight_steps_behind_is_theft() {
    for (steps, is_theft) in [(8, false), (9, true)] {
        let (listener, mut heard) = Listener::new();
        let node = Node::with(FaultyStore::new(), |builder| builder.observer(listener)).await;
        let first = refresh_token(&node.log_in("ann").await);
        let mut newest = first.clone();
        for _ in 0..steps {
            newest = refresh_token(&node.refresh(&newest).await.unwrap());
        }
        let outcome = node.refresh(&first).await;
        if is_theft {
            assert_theft(outcome);
            assert_eq!(heard.theft().await.class, ReplayClass::StaleGeneration);
        } else {
            assert_eq!(refresh_token(&outcome.unwrap()).expose(), newest.expose());
        }
    }
}

/// F4: a thief inside the window does not get a chain of its own. Both are on one lineage, and
/// whoever falls behind by a window ends it for both.
#[tokio::test]
async fn a_thief_inside_the_window_gets_no_chain_of_its_own() {
    let node = Node::new().await;
    let stolen = refresh_token(&node.log_in("ann").await);
    let owner = refresh_token(&node.refresh(&stolen).await.unwrap());
    let thief = refresh_token(&node.refresh(&stolen).await.unwrap());
    assert_eq!(owner.expose(), thief.expose());

    let owner = refresh_token(&node.refresh(&owner).await.unwrap());
    node.advance(GRACE);
    assert_theft(node.refresh(&thief).await);
    assert_unauthorised(node.refresh(&owner).await);
}

/// F5: the six orders in which owner and thief of one token act twice each; the model test has all
/// others. Never do both go on after the window.
#[tokio::test]
async fn of_owner_and_thief_never_both_go_on_after_the_window() {
    const OWNER: usize = 0;
    const THIEF: usize = 1;
    for order in [
        [OWNER, OWNER, THIEF, THIEF],
        [OWNER, THIEF, OWNER, THIEF],
        [OWNER, THIEF, THIEF, OWNER],
        [THIEF, OWNER, OWNER, THIEF],
        [THIEF, OWNER, THIEF, OWNER],
        [THIEF, THIEF, OWNER, OWNER],
    ] {
        let node = Node::new().await;
        let issued = node.log_in("ann").await;
        let mut held = [refresh_token(&issued), refresh_token(&issued)];
        let mut thefts = 0;
        for who in order {
            match node.refresh(&held[who]).await {
                Ok(issued) => held[who] = refresh_token(&issued),
                Err(SessionError::TokenTheftDetected { .. }) => thefts += 1,
                Err(SessionError::Unauthorised(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
            node.advance(GRACE);
        }
        assert_eq!(thefts, 1, "{order:?}");
        assert_eq!(node.row(issued.session().handle()).await, None, "{order:?}");
    }
}

/// F6: a hundred refreshes of one token at once, on one node and on two: one rotation, one
/// successor, no theft, no error.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_refreshes_at_once_stay_on_one_lineage() {
    let (listener, mut heard) = Listener::new();
    let node = Node::with(FaultyStore::shared(GRACE), |builder| {
        builder.observer(listener)
    })
    .await;
    let other = node.beside(|config| config).await;
    for nodes in [[&node, &node], [&node, &other]] {
        let first = node.log_in("ann").await;
        let answers = all_at_once((0..100).map(|index| {
            let (sessions, token) = (nodes[index % 2].sessions.clone(), refresh_token(&first));
            async move {
                sessions
                    .refresh(&token, PresentedAntiCsrf::NotChecked)
                    .await
            }
        }))
        .await;
        let mut successors: Vec<String> = answers
            .into_iter()
            .map(|answer| refresh_token(&answer.unwrap()).expose().to_owned())
            .collect();
        assert_eq!(successors.len(), 100);
        successors.dedup();
        let [successor] = successors.as_slice() else {
            panic!("{} successors", successors.len());
        };
        let row = node.row(first.session().handle()).await.unwrap();
        let successor = RefreshToken::from_text(successor);
        assert_eq!(row.generation, 1);
        assert_eq!(row.secret_hash, secret_hash(&successor));
        let heard = heard.rest().await;
        assert!(heard.iter().all(|told| matches!(told, Told::Replay(_))));
        assert!(node.refresh(&successor).await.is_ok());
    }
}

/// F7: without a window exactly one of a hundred succeeds, one is told of the theft, and the
/// session has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_window_exactly_one_of_a_hundred_succeeds() {
    let node = Node::configured(|config| config.rotation_grace(Duration::ZERO)).await;
    let first = node.log_in("ann").await;
    let answers = all_at_once((0..100).map(|_| {
        let (sessions, token) = (node.sessions.clone(), refresh_token(&first));
        async move {
            sessions
                .refresh(&token, PresentedAntiCsrf::NotChecked)
                .await
        }
    }))
    .await;
    let (mut successes, mut thefts) = (0, 0);
    for answer in answers {
        match answer {
            Ok(_) => successes += 1,
            Err(SessionError::TokenTheftDetected { .. }) => thefts += 1,
            Err(SessionError::Unauthorised(ClientTokens::Clear)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((successes, thefts), (1, 1));
    assert_eq!(node.row(first.session().handle()).await, None);
}

/// F8: an answer that never arrives costs nothing inside the window.
#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_inside_the_window() {
    let node = Node::new().await;
    let first = refresh_token(&node.log_in("ann").await);
    let lost = refresh_token(&node.refresh(&first).await.unwrap());
    node.advance(GRACE - MILLISECOND);
    let retry = refresh_token(&node.refresh(&first).await.unwrap());
    assert_eq!(retry.expose(), lost.expose());
    node.advance(GRACE * 10);
    assert!(node.refresh(&retry).await.is_ok());
}

/// F8: asked for again after the window, the one who asks cannot be told from a thief.
#[tokio::test]
async fn a_lost_answer_asked_for_after_the_window_is_theft() {
    let node = Node::new().await;
    let first = refresh_token(&node.log_in("ann").await);
    let _lost = node.refresh(&first).await.unwrap();
    node.advance(GRACE);
    assert_theft(node.refresh(&first).await);
}

/// F10: after a sign-out, a user-wide and a tenant-wide end, a refresh brings nothing back.
#[tokio::test]
async fn a_refresh_after_the_end_brings_nothing_back() {
    let node = Node::new().await;
    let ways: [&str; 4] = ["by handle", "several", "of user", "of tenant"];
    for way in ways {
        let issued = node.log_in("ann").await;
        let (handle, tenant) = (issued.session().handle(), issued.session().tenant_id());
        let ended = match way {
            "by handle" => {
                vec![handle.clone(); usize::from(node.sessions.revoke(handle).await.unwrap())]
            }
            "several" => node
                .sessions
                .revoke_many(std::slice::from_ref(handle))
                .await
                .unwrap(),
            "of user" => node
                .sessions
                .revoke_all_of_user(&user_id("ann"), None)
                .await
                .unwrap(),
            _ => node.sessions.revoke_all_of_tenant(tenant).await.unwrap(),
        };
        assert_eq!(ended, std::slice::from_ref(handle), "{way}");
        assert_unauthorised(node.refresh(&refresh_token(&issued)).await);
        assert_eq!(node.row(handle).await, None, "{way}");
    }
}

/// F19: what was replayed is known after a restart as well: it is in the row.
#[tokio::test]
async fn a_replay_after_a_restart_is_theft_all_the_same() {
    let node = Node::new().await;
    let first = node.log_in("ann").await;
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    node.sessions.shutdown().await;
    let restarted = node.beside(|config| config).await;
    let third = restarted.refresh(&refresh_token(&first)).await.unwrap();
    assert_eq!(
        refresh_token(&third).expose(),
        refresh_token(&second).expose()
    );
    restarted.advance(GRACE);
    assert_theft(restarted.refresh(&refresh_token(&first)).await);
}

/// F20: each of a thousand refreshes of one chain costs one read and one conditional write, its row
/// stays as small as the first ones made it, and another session is none the worse.
#[tokio::test]
async fn a_flood_of_refreshes_of_one_session_costs_each_the_same() {
    const FLOOD: usize = 1_000;
    let node = Node::new().await;
    let bob = node.log_in("bob").await;
    let mut ann = node.log_in("ann").await;
    let (reads, swaps) = (node.store.calls(Op::Get), node.store.calls(Op::Rotate));
    for _ in 0..FLOOD {
        ann = node.refresh(&refresh_token(&ann)).await.unwrap();
    }
    assert_eq!(node.store.calls(Op::Get) - reads, FLOOD);
    assert_eq!(node.store.calls(Op::Rotate) - swaps, FLOOD);
    let row = node.row(ann.session().handle()).await.unwrap();
    assert_eq!(row.generation, FLOOD as u64);
    assert_eq!(row.rotations.iter().count(), 8);
    assert!(node.refresh(&refresh_token(&bob)).await.is_ok());
}
