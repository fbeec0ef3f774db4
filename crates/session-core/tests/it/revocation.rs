//! Revocation: what is refused when, on this node and on others, and who is told.
//!
//! Of part G, what needs a database or a socket is elsewhere: G10 on a cut connection and G11 in
//! `session-sqlx`, G12's table of options beside `VerifyOptions` and its routes in the HTTP suite.

use std::time::Duration;

use session_core::{
    SessionError,
    config::{AccessKeyKind, Check},
    store::{RevocationCursor, SessionStore as _},
    verify::PresentedAntiCsrf,
};
use tokio::task::JoinSet;

use crate::{
    blacklist::two_nodes,
    faulty_store::Op,
    node::{
        Node, assert_unauthorised, check_blacklist, check_database, refresh_token, settle,
        stateless, user_id,
    },
};

const MILLISECOND: Duration = Duration::from_millis(1);

/// G1, INV-1, wire case 48: after the acknowledgement the database refuses on every node, and this
/// node's blacklist does; a stateless check goes on until the token expires (G13).
#[tokio::test(start_paused = true)]
async fn a_revoked_session_is_refused_from_the_acknowledgement_on() {
    let (here, there) = two_nodes().await;
    let issued = here.log_in("ann").await;
    assert!(
        here.sessions
            .revoke(issued.session().handle())
            .await
            .unwrap()
    );
    assert_unauthorised(here.verify(&issued, &check_database()).await);
    assert_unauthorised(there.verify(&issued, &check_database()).await);
    assert_unauthorised(here.verify(&issued, &check_blacklist()).await);
    assert!(here.verify(&issued, &stateless()).await.is_ok());
    here.advance(Duration::from_hours(1) - MILLISECOND);
    assert!(here.verify(&issued, &stateless()).await.is_ok());
    here.advance(MILLISECOND);
    let expired = here.verify(&issued, &stateless()).await;
    assert!(matches!(expired, Err(SessionError::TryRefreshToken(_))));
}

/// G2, G5: a refresh that is under way when the session ends, held at each of its waits: when both
/// are done the session is over, whatever the refresh answered.
#[tokio::test]
async fn a_refresh_under_way_does_not_survive_a_revocation() {
    for user_wide in [false, true] {
        for (op, before) in [
            (Op::Get, true),
            (Op::Get, false),
            (Op::Rotate, true),
            (Op::Rotate, false),
        ] {
            let node = Node::new().await;
            settle().await;
            let issued = node.log_in("ann").await;
            let handle = issued.session().handle();
            let gate = if before {
                node.store.hold_before(op)
            } else {
                node.store.hold_after(op)
            };
            let (sessions, token) = (node.sessions.clone(), refresh_token(&issued));
            let mut tasks = JoinSet::new();
            tasks.spawn(async move {
                sessions
                    .refresh(&token, PresentedAntiCsrf::NotChecked)
                    .await
            });
            gate.arrivals(1).await;
            if user_wide {
                let ended = node
                    .sessions
                    .revoke_all_of_user(&user_id("ann"), None)
                    .await;
                assert_eq!(ended.unwrap(), std::slice::from_ref(handle));
            } else {
                assert!(node.sessions.revoke(handle).await.unwrap());
            }
            gate.open();
            node.store.heal();
            let outcome = tasks.join_next().await.unwrap().unwrap();
            let has_rotated = op == Op::Rotate && !before;
            assert_eq!(outcome.is_ok(), has_rotated, "{op:?} {outcome:?}");
            match outcome {
                Ok(too_late) => {
                    assert_unauthorised(node.verify(&too_late, &check_database()).await);
                    assert_unauthorised(node.verify(&too_late, &check_blacklist()).await);
                    assert_unauthorised(node.refresh(&refresh_token(&too_late)).await);
                }
                outcome => assert_unauthorised(outcome),
            }
            assert_eq!(node.row(handle).await, None);
            assert_unauthorised(node.verify(&issued, &check_blacklist()).await);
        }
    }
}

/// G14: a revocation that overtakes nothing is remembered for as long as the newest access token
/// lives, also of a refresh that slipped in before it.
#[tokio::test]
async fn the_blacklist_remembers_a_session_for_as_long_as_its_newest_token_lives() {
    let node = Node::configured(|config| config.revocation_skew(Duration::from_mins(1))).await;
    settle().await;
    let first = node.log_in("ann").await;
    let gate = node.store.hold_before(Op::Revoke);
    let (sessions, handle) = (node.sessions.clone(), first.session().handle().clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { sessions.revoke(&handle).await });
    gate.arrivals(1).await;
    node.advance(Duration::from_mins(50));
    let newest = node.refresh(&refresh_token(&first)).await.unwrap();
    gate.open();
    assert!(tasks.join_next().await.unwrap().unwrap().unwrap());
    node.advance(Duration::from_hours(1) - MILLISECOND);
    assert!(node.verify(&newest, &stateless()).await.is_ok());
    assert_unauthorised(node.verify(&newest, &check_blacklist()).await);
    let recorded = node
        .store
        .inner()
        .revocations_since(RevocationCursor::default(), 0, 10)
        .await
        .unwrap();
    assert_eq!(
        recorded.revoked[0].expires_at_ms,
        session_core::clock::unix_ms(newest.tokens().access_token_expires_at()) + 60_000
    );
}

/// G3: a check that began before the acknowledgement may pass; one that began after does not.
#[tokio::test]
async fn a_check_that_begins_after_the_acknowledgement_is_refused() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let gate = node.store.hold_after(Op::Get);
    let access_token = issued.tokens().access_token().expose().to_owned();
    let sessions = node.sessions.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        sessions
            .verify(
                &access_token,
                PresentedAntiCsrf::NotChecked,
                &check_database(),
            )
            .await
    });
    gate.arrivals(1).await;
    assert!(
        node.sessions
            .revoke(issued.session().handle())
            .await
            .unwrap()
    );
    gate.open();
    let began_before = tasks.join_next().await.unwrap().unwrap();
    assert!(began_before.is_ok());
    assert_unauthorised(node.verify(&issued, &check_database()).await);
    assert_unauthorised(began_before.unwrap().information().await);
}

/// C2: a token for another service, made under the same key, is no access token here, whatever
/// its claims.
#[tokio::test]
async fn a_token_for_another_service_is_no_access_token() {
    let node = Node::configured(|config| config.default_check(Check::Database)).await;
    let issued = node.log_in("ann").await;
    let claims = issued.session().access_token_payload();
    for kind in [AccessKeyKind::Dynamic, AccessKeyKind::Static] {
        let jwt = node
            .sessions
            .create_jwt((*claims).clone(), Duration::from_mins(30), kind)
            .await
            .unwrap();
        let outcome = node.verify_text(&jwt, &stateless()).await;
        assert!(
            matches!(
                outcome,
                Err(SessionError::Unauthorised(session_core::ClientTokens::Keep))
            ),
            "{outcome:?}"
        );
    }
}

/// G16: nothing brings a session back: neither a new access token nor a merge nor its data.
#[tokio::test]
async fn a_revoked_session_cannot_be_changed_back_to_life() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let session = node.verify(&issued, &stateless()).await.unwrap();
    node.sessions.revoke(session.handle()).await.unwrap();
    let update = serde_json::Map::from_iter([("plan".to_owned(), "pro".into())]);
    assert_unauthorised(session.regenerate().await);
    assert_unauthorised(session.merge_payload(update.clone()).await);
    assert_unauthorised(session.update_data(&update).await);
    assert_unauthorised(session.information().await);
    assert!(session.unsent_tokens().is_none());
    let handle = session.handle();
    assert!(
        !node
            .sessions
            .merge_payload(handle, update.clone())
            .await
            .unwrap()
    );
    assert!(!node.sessions.update_data(handle, &update).await.unwrap());
    assert_eq!(node.row(handle).await, None);
}

/// H16: a sweep of expired rows that looks at the clock before a refresh does not take the session
/// that was refreshed meanwhile.
#[tokio::test]
async fn a_sweep_spares_a_session_that_is_refreshed_meanwhile() {
    let node = Node::configured(|config| {
        config
            .access_token_lifetime(Duration::from_mins(5))
            .refresh_token_lifetime(Duration::from_hours(12))
    })
    .await;
    let issued = node.log_in("ann").await;
    node.advance(Duration::from_hours(12) - MILLISECOND);
    let looked_at_ms = node.now_ms() + 1;
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    let purged = node
        .store
        .inner()
        .purge_expired(looked_at_ms, 10)
        .await
        .unwrap();
    assert_eq!(purged.sessions, 0);
    assert!(node.verify(&refreshed, &check_database()).await.is_ok());
}
