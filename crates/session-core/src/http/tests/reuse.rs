//! Several checks of one session in one request (design §4).

use std::time::Duration;

use serde_json::{Map, json};

use super::{Reply, TestApp};
use crate::{
    CheckBlacklist, CheckDatabase, Stateless, config::AntiCsrf, error::SessionError,
    token::TokenRejection, verify::Policy as _,
};

/// Design §4: what a layer has checked is not checked again, and what a handler asks beyond it is.
#[tokio::test]
async fn a_second_check_does_only_what_is_missing() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaCustomHeader)).await;
    let ann = app.log_in("ann").await;
    let request = app.post("/").access_cookie(&ann);
    let exchange = request.exchange();
    let unchecked = Stateless::options().anti_csrf_check(false);
    let session = exchange.verify(&unchecked).await.unwrap();

    let again = exchange.verify(&unchecked).await.unwrap();
    assert_eq!(again.handle(), session.handle());

    let unchecked_so_far = exchange.verify(&Stateless::options()).await;
    assert!(unchecked_so_far.is_err());
    app.sessions.revoke(session.handle()).await.unwrap();
    let asked = CheckDatabase::options().anti_csrf_check(false);
    assert!(exchange.verify(&asked).await.is_err());
}

/// Design §4: a framework may run two extractors of one handler at once; they get one session all
/// the same, so what one changes the other sees.
#[tokio::test]
async fn two_checks_at_once_give_one_session() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    let (database, stateless) = (CheckDatabase::options(), Stateless::options());
    let (one, two) = tokio::join!(exchange.verify(&database), exchange.verify(&stateless));
    let update = Map::from_iter([("seen".to_owned(), json!(true))]);
    one.unwrap().merge_payload(update).await.unwrap();
    assert!(two.unwrap().payload().as_map().contains_key("seen"));
}

/// A21, REQ-48: what was found out about a request does not outlive the token, nor does a look-up
/// outlive the moments in which one request asks for it several times.
#[tokio::test]
async fn what_has_been_checked_does_not_hold_for_ever() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    let database = CheckDatabase::options();
    let session = exchange.verify(&database).await.unwrap();

    app.sessions.revoke(session.handle()).await.unwrap();
    app.clock.advance(Duration::from_secs(2));
    assert!(exchange.verify(&database).await.is_err());

    exchange.verify(&Stateless::options()).await.unwrap();
    app.clock.advance(Duration::from_hours(1));
    let expired = exchange.verify(&Stateless::options()).await;
    assert!(matches!(
        expired.unwrap_err().error(),
        SessionError::TryRefreshToken(TokenRejection::Expired)
    ));
}

/// REQ-43, INV-2: what the blacklist said to a layer is not good enough for the handler that asks
/// after it: the revocation may have been confirmed in between.
#[tokio::test]
async fn a_later_check_hears_what_the_blacklist_has_heard_since() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    let blacklist = CheckBlacklist::options();
    let session = exchange.verify(&blacklist).await.unwrap();
    app.sessions.revoke(session.handle()).await.unwrap();
    assert!(exchange.verify(&blacklist).await.is_err());
}

/// E14: a layer that skips the anti-CSRF check does not skip it for a handler that asks for it.
#[tokio::test]
async fn a_skipped_anti_csrf_check_is_made_up_for() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaToken)).await;
    let ann = app.log_in("ann").await;
    let token = ann.anti_csrf.as_deref().unwrap();
    for (sent, passes) in [("guess", false), (token, true)] {
        let request = app.post("/").access_cookie(&ann).header("anti-csrf", sent);
        let exchange = request.exchange();
        let skipped = Stateless::options().anti_csrf_check(false);
        exchange.verify(&skipped).await.unwrap();
        let asked = exchange.verify(&Stateless::options()).await;
        assert_eq!(asked.is_ok(), passes, "{sent}");
    }
}

/// Wire case 25: a check that finds another payload in the database sends it with this response,
/// whichever check of the request that is.
#[tokio::test]
async fn a_payload_that_a_later_check_finds_reaches_the_response() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    let session = exchange.verify(&Stateless::options()).await.unwrap();
    let update = Map::from_iter([("plan".to_owned(), json!("pro"))]);
    app.sessions
        .merge_payload(session.handle(), update)
        .await
        .unwrap();
    exchange.verify(&CheckDatabase::options()).await.unwrap();
    let reply = Reply::of_handler(&exchange, Ok(None));
    let sent = reply.cookie("sAccessToken").unwrap();
    assert_eq!(sent.value, session.access_token().expose());
    assert_ne!(sent.value, ann.access);
    assert_eq!(session.payload().as_map()["plan"], "pro");
}

/// B2: a token that expires between two checks of a request does not pass the second.
#[tokio::test]
async fn a_token_that_expires_in_between_does_not_pass_again() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    exchange.verify(&Stateless::options()).await.unwrap();
    app.clock.advance(Duration::from_hours(1));
    let refused = exchange.verify(&Stateless::options()).await;
    let reply = Reply::of_handler(&exchange, refused.map(Some));
    reply.assert_refused(401, "try refresh token");
    reply.assert_tokens_untouched();
}
