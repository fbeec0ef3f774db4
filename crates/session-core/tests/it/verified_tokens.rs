//! Security A21, G17: that a token was verified before spares its signature, and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, Value, json};
use session_core::{
    NewSession, SessionError, VerifyOptions,
    claims::{ClaimFailure, ClaimValidator},
    token::TokenRejection,
    verify::PresentedAntiCsrf,
};

use crate::node::{
    Node, assert_rejected, assert_unauthorised, check_blacklist, check_database, signing_key,
    stateless, user_id,
};

async fn remembering() -> Node {
    Node::configured(|config| config.verified_tokens(1_000)).await
}

/// A21, B2: a token that was seen expires to the millisecond, as any other.
#[tokio::test]
async fn a_token_that_was_seen_expires_when_it_says() {
    let node = remembering().await;
    let issued = node.log_in("ann").await;
    node.verify(&issued, &stateless()).await.unwrap();
    let left = issued
        .tokens()
        .access_token_expires_at()
        .duration_since(node.now())
        .unwrap();
    node.advance(left - Duration::from_millis(1));
    node.verify(&issued, &stateless()).await.unwrap();
    node.advance(Duration::from_millis(1));
    for _ in 0..2 {
        assert_rejected(
            node.verify(&issued, &stateless()).await,
            TokenRejection::Expired,
        );
    }
}

/// B3: a clock that is set back makes a token one of the future, seen or not.
#[tokio::test]
async fn a_token_that_was_seen_is_judged_by_the_clock_as_it_is() {
    let node = remembering().await;
    node.advance(Duration::from_hours(2));
    let issued = node.log_in("ann").await;
    node.verify(&issued, &stateless()).await.unwrap();
    node.clock
        .set_wall_clock(node.now() - Duration::from_hours(1));
    assert_rejected(
        node.verify(&issued, &stateless()).await,
        TokenRejection::IssuedInFuture,
    );
}

/// A21, D4: with its key a token is gone, whoever has seen it.
#[tokio::test]
async fn a_token_that_was_seen_ends_with_its_key() {
    let node = remembering().await;
    let issued = node.log_in("ann").await;
    node.verify(&issued, &stateless()).await.unwrap();
    node.advance(Duration::from_secs(1));
    let key = signing_key(&issued);
    node.sessions.remove_key(&key).await.unwrap();
    assert_rejected(
        node.verify(&issued, &stateless()).await,
        TokenRejection::UnknownKey,
    );
}

/// A21: the key is known by what it is, not by its name, which a key that is made in the same
/// millisecond shares.
#[tokio::test]
async fn a_key_of_the_same_name_does_not_stand_in_for_the_one_that_signed() {
    let node = remembering().await;
    let issued = node.log_in("ann").await;
    node.verify(&issued, &stateless()).await.unwrap();
    let key = signing_key(&issued);
    node.sessions.remove_key(&key).await.unwrap();
    assert_eq!(signing_key(&node.log_in("bob").await), key);
    assert_rejected(
        node.verify(&issued, &stateless()).await,
        TokenRejection::BadSignature,
    );
}

/// G17: what a route asks beyond the token is asked each time.
#[tokio::test]
async fn a_session_that_has_ended_is_refused_though_its_token_was_seen() {
    let node = remembering().await;
    let there = node.beside(|config| config).await;
    let issued = node.log_in("ann").await;
    for options in [stateless(), check_blacklist(), check_database()] {
        node.verify(&issued, &options).await.unwrap();
    }
    // Elsewhere, so that this node has not heard of it.
    there
        .sessions
        .revoke(issued.session().handle())
        .await
        .unwrap();
    assert_unauthorised(node.verify(&issued, &check_database()).await);

    let bob = node.log_in("bob").await;
    node.verify(&bob, &check_blacklist()).await.unwrap();
    node.sessions.revoke(bob.session().handle()).await.unwrap();
    assert_unauthorised(node.verify(&bob, &check_blacklist()).await);
    assert_unauthorised(node.verify(&bob, &check_database()).await);
    // As a route that asks nobody would have it without any memory.
    node.verify(&bob, &stateless()).await.unwrap();
}

/// A21 (CVE-2026-35039): another token is another token, wherever it differs.
#[tokio::test]
async fn nothing_but_every_byte_of_a_token_is_that_token() {
    let node = remembering().await;
    let issued = node.log_in("ann").await;
    let good = issued.tokens().access_token().expose();
    node.verify(&issued, &stateless()).await.unwrap();
    for index in 0..good.len() {
        let mut bytes = good.as_bytes().to_vec();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(bytes).unwrap();
        let answer = node.verify_text(&other, &stateless()).await;
        assert!(answer.is_err(), "byte {index}");
    }
    for other in [
        &good[..good.len() - 1],
        &good[1..],
        &format!("{good}="),
        &format!("{good} "),
        &format!(" {good}"),
        &format!("{good}."),
    ] {
        assert!(node.verify_text(other, &stateless()).await.is_err());
    }
    node.verify(&issued, &stateless()).await.unwrap();
}

/// A21 (CVE-2026-35039): each token gives its own session.
#[tokio::test]
async fn nobody_gets_the_session_of_another() {
    let node = Node::configured(|config| config.verified_tokens(8)).await;
    let mut all = Vec::new();
    for number in 0..40 {
        all.push(node.log_in(&format!("user-{number}")).await);
    }
    for _ in 0..3 {
        for (number, issued) in all.iter().enumerate() {
            let session = node.verify(issued, &stateless()).await.unwrap();
            assert_eq!(session.user_id().as_str(), format!("user-{number}"));
            assert_eq!(session.handle(), issued.session().handle());
        }
    }
}

/// E16: the anti-CSRF token is asked for with each request.
#[tokio::test]
async fn the_anti_csrf_token_is_asked_for_each_time() {
    let node = Node::configured(|config| {
        config
            .verified_tokens(10)
            .anti_csrf(session_core::config::AntiCsrf::ViaToken)
    })
    .await;
    let issued = node.log_in("ann").await;
    let token = issued.tokens().access_token().expose();
    let right = issued.tokens().anti_csrf_token();
    assert!(right.is_some());
    for (presented, accepted) in [
        (right, true),
        (None, false),
        (Some("x"), false),
        (right, true),
    ] {
        let answer = node
            .sessions
            .verify(token, PresentedAntiCsrf::Token(presented), &stateless())
            .await;
        assert_eq!(answer.is_ok(), accepted);
    }
}

/// Judged anew for each request, so it may change its mind.
#[derive(Debug)]
struct Open(Arc<AtomicBool>);

impl ClaimValidator for Open {
    fn id(&self) -> &'static str {
        "open"
    }

    fn validate(
        &self,
        _: &Map<String, Value>,
        _: std::time::SystemTime,
    ) -> Result<(), ClaimFailure> {
        if self.0.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err(ClaimFailure::because(json!("closed")))
        }
    }
}

#[tokio::test]
async fn claims_and_the_time_that_is_left_are_judged_each_time() {
    let node = remembering().await;
    let issued = node.log_in("ann").await;
    let open = Arc::new(AtomicBool::new(true));
    let validator: Arc<dyn ClaimValidator> = Arc::new(Open(Arc::clone(&open)));
    let options = stateless().claim_validators([validator]);
    node.verify(&issued, &options).await.unwrap();
    open.store(false, Ordering::SeqCst);
    let answer = node.verify(&issued, &options).await;
    assert!(
        matches!(answer, Err(SessionError::InvalidClaims(_))),
        "{answer:?}"
    );

    let hours = VerifyOptions::new().min_remaining(Duration::from_hours(2));
    assert_rejected(
        node.verify(&issued, &hours).await,
        TokenRejection::ExpiresTooSoon,
    );
}

/// What a handler changes in its session is not remembered with the token.
#[tokio::test]
async fn a_changed_payload_does_not_reach_those_who_come_with_the_old_token() {
    let node = remembering().await;
    let new = NewSession::new(user_id("ann"));
    let issued = node.sessions.create(new).await.unwrap();
    let session = node.verify(&issued, &stateless()).await.unwrap();
    let update = Map::from_iter([("plan".to_owned(), json!("paid"))]);
    session.merge_payload(update).await.unwrap();
    assert_eq!(session.payload().as_map()["plan"], "paid");
    let old = node.verify(&issued, &stateless()).await.unwrap();
    assert!(old.payload().as_map().is_empty());
}
