//! What several changes in one request leave in the response.

use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderValue, Response};
use serde_json::{Map, json};

use super::{Reply, TestApp, config};
use crate::{
    NewSession, SessionError, Stateless, UserId, VerifyOptions,
    error::ClientTokens,
    http::{
        Refusal, TransferMethod,
        effects::{Effects, Login},
    },
    verify::Policy as _,
};

fn new_session() -> NewSession {
    NewSession::new(UserId::try_from("ann").unwrap())
}

fn nickname(name: &str) -> Map<String, serde_json::Value> {
    Map::from_iter([("nickname".to_owned(), json!(name))])
}

/// E13, REQ-31: created, changed and revoked in one handler: one line per cookie, and it clears.
#[tokio::test]
async fn a_revocation_wins_over_what_was_attached_before() {
    let app = TestApp::with(|config| config.anti_csrf(crate::config::AntiCsrf::ViaToken)).await;
    let request = app.post("/").header("st-auth-mode", "cookie");
    let exchange = request.exchange();
    let session = exchange.create(new_session()).await.unwrap();
    session.merge_payload(nickname("Zoë")).await.unwrap();
    session.revoke().await.unwrap();
    let reply = Reply::of_handler(&exchange, Ok(Some(session)));
    reply.assert_cookies_cleared();
    assert_eq!(reply.cookies().len(), 2);
    assert_eq!(reply.header("front-token"), Some("remove"));
    assert_eq!(reply.header("anti-csrf"), None);
}

/// E13: created and changed in one handler: the newest access token beside the only refresh token.
#[tokio::test]
async fn a_changed_payload_replaces_only_the_access_token() {
    let app = TestApp::new().await;
    let request = app.post("/").header("st-auth-mode", "cookie");
    let exchange = request.exchange();
    let session = exchange.create(new_session()).await.unwrap();
    session.merge_payload(nickname("Zoë")).await.unwrap();
    let reply = Reply::of_handler(&exchange, Ok(None));
    assert_eq!(reply.cookies().len(), 2);
    assert_eq!(reply.client().access, session.access_token().expose());
    assert!(!reply.client().refresh.is_empty());
}

/// Wire case 63: a change alone sends an access token and a front token, and no refresh token.
#[tokio::test]
async fn a_changed_payload_travels_with_the_response() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.post("/").access_cookie(&ann);
    let exchange = request.exchange();
    let session = exchange.verify(&Stateless::options()).await.unwrap();
    session.merge_payload(nickname("Zoë")).await.unwrap();
    let reply = Reply::of_handler(&exchange, Ok(None));
    assert_eq!(reply.cookies().len(), 1);
    assert!(
        reply
            .cookie("sAccessToken")
            .is_some_and(|cookie| cookie.value != ann.access)
    );
    assert_eq!(reply.exposed(), Some("front-token"));
}

/// E18: ending the session that a login replaced does not take the new one's tokens away.
#[tokio::test]
async fn the_replaced_session_no_longer_speaks_for_the_client() {
    let app = TestApp::new().await;
    let planted = app.log_in("mallory").await;
    let request = app
        .post("/")
        .access_cookie(&planted)
        .header("st-auth-mode", "cookie");
    let exchange = request.exchange();
    let old = exchange.verify(&Stateless::options()).await.unwrap();
    let new = exchange.create(new_session()).await.unwrap();
    old.revoke().await.unwrap();
    let reply = Reply::of_handler(&exchange, Ok(None));
    assert_eq!(reply.client().access, new.access_token().expose());
    assert!(
        reply
            .header("front-token")
            .is_some_and(|front| front != "remove")
    );
}

/// E18: nor does what the replaced session still wants to send arrive.
#[tokio::test]
async fn the_replaced_session_sends_no_more_tokens() {
    let app = TestApp::new().await;
    let config = Arc::clone(app.sessions.shared_config());
    let (_, old_tokens) = app
        .sessions
        .create(new_session())
        .await
        .unwrap()
        .into_parts();
    let (_, new_tokens) = app
        .sessions
        .create(new_session())
        .await
        .unwrap()
        .into_parts();
    let effects = Effects::default();
    let new = effects.supersede();
    let attach = |login, tokens| {
        effects
            .attach(login, tokens, TransferMethod::Header, &config)
            .unwrap();
    };
    attach(new, &new_tokens);
    attach(Login::default(), &old_tokens);
    let mut headers = HeaderMap::new();
    effects.write(&mut headers, &config, app.clock.as_ref());
    assert_eq!(
        headers["st-access-token"],
        new_tokens.access_token().expose()
    );
}

/// E13, wire §4.4: what a framework with header types of its own is told to write: the lines that
/// were there of the names that can be shared, and nothing where there is nothing to do.
#[tokio::test]
async fn the_changes_of_a_head_keep_what_they_share_a_name_with() {
    let app = TestApp::new().await;
    let mut lines = HeaderMap::new();
    lines.append("set-cookie", HeaderValue::from_static("theme=dark"));
    lines.append("set-cookie", HeaderValue::from_static("sAccessToken=old"));
    lines.insert(
        "access-control-expose-headers",
        HeaderValue::from_static("x-total"),
    );
    lines.insert("x-total", HeaderValue::from_static("7"));
    lines.insert("cache-control", HeaderValue::from_static("public"));
    let request = app.post("/").header("st-auth-mode", "cookie");
    let exchange = request.exchange();
    exchange.create(new_session()).await.unwrap();
    let changes = exchange.finish_head(&lines, Extensions::new());
    assert_eq!(changes.status(), None);
    let headers = changes.headers();
    let cookies: Vec<&[u8]> = headers
        .get_all("set-cookie")
        .iter()
        .map(|line| line.as_bytes().split(|&byte| byte == b'=').next().unwrap())
        .collect();
    assert_eq!(
        cookies,
        [&b"theme"[..], &b"sAccessToken"[..], &b"sRefreshToken"[..]]
    );
    assert_eq!(
        headers["access-control-expose-headers"],
        "x-total, front-token"
    );
    assert_eq!(headers["cache-control"], "no-store");
    assert!(!headers.contains_key("x-total"));

    // Nothing has happened to the session: nothing of the application's is touched.
    let changes = app
        .get("/")
        .exchange()
        .finish_head(&lines, Extensions::new());
    assert!(changes.status().is_none() && changes.headers().is_empty());
}

/// E13: a refusal after a change: one line per cookie, and it clears.
#[tokio::test]
async fn a_refusal_wins_over_what_was_attached_before() {
    let app = TestApp::new().await;
    let request = app.post("/").header("st-auth-mode", "cookie");
    let exchange = request.exchange();
    let session = exchange.create(new_session()).await.unwrap();
    app.sessions.revoke(session.handle()).await.unwrap();
    let asked = session.merge_payload(nickname("Zoë")).await;
    let mut response = Refusal::from(asked.unwrap_err()).to_response();
    exchange.finish(&mut response);
    let reply = Reply::of(response);
    reply.assert_refused(401, "unauthorised");
    reply.assert_tokens_cleared();
}

/// Design §4: an error that the application answers by itself clears nothing.
#[tokio::test]
async fn an_error_that_is_not_rendered_clears_nothing() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    let session = exchange.verify(&Stateless::options()).await.unwrap();
    app.sessions.revoke(session.handle()).await.unwrap();
    let asked = VerifyOptions::new().check_database(true);
    let refusal = exchange.verify(&asked).await.unwrap_err();
    let cleared = matches!(
        refusal.error(),
        SessionError::Unauthorised(ClientTokens::Clear)
    );
    assert!(cleared);
    Reply::of_handler(&exchange, Ok(None)).assert_tokens_untouched();
}

/// Design §4: once the head is made, a change is an error that says so, and nothing is lost.
#[tokio::test]
async fn a_change_after_the_head_is_an_error() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    let session = exchange.verify(&Stateless::options()).await.unwrap();
    exchange.write_effects(&mut HeaderMap::new());
    let late = session.merge_payload(nickname("Zoë")).await;
    assert!(matches!(late, Err(SessionError::ResponseStarted)));
    let late = exchange.create(new_session()).await;
    assert!(matches!(
        late.unwrap_err().error(),
        SessionError::ResponseStarted
    ));
    let stored = app
        .sessions
        .information(session.handle())
        .await
        .unwrap()
        .unwrap();
    assert!(stored.payload().as_map().is_empty());
}

/// A response that has nothing to do with a session is left alone.
#[tokio::test]
async fn a_response_without_changes_is_left_alone() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    exchange.verify(&Stateless::options()).await.unwrap();
    let mut response = Response::builder()
        .header("cache-control", "max-age=60")
        .body(())
        .unwrap();
    exchange.finish(&mut response);
    assert_eq!(response.headers().len(), 1);
    assert_eq!(response.headers()["cache-control"], "max-age=60");
}

async fn finished_login(headers: &[(&'static str, &'static str)]) -> Reply {
    let app = TestApp::new().await;
    let request = app.post("/").header("st-auth-mode", "cookie");
    let exchange = request.exchange();
    exchange.create(new_session()).await.unwrap();
    let mut response = Response::new(bytes::Bytes::new());
    for (name, value) in headers {
        response
            .headers_mut()
            .append(*name, HeaderValue::from_static(value));
    }
    exchange.finish(&mut response);
    Reply::of(response)
}

/// REQ-31: the application's own cookies stay, one that it wrote under our name does not.
#[tokio::test]
async fn the_cookies_of_the_application_stay() {
    let reply = finished_login(&[
        ("set-cookie", "theme=dark"),
        ("set-cookie", "sAccessToken=forged; Path=/"),
        ("set-cookie", "sAccessTokenX=other"),
    ])
    .await;
    let names: Vec<String> = reply
        .cookies()
        .into_iter()
        .map(|cookie| cookie.name)
        .collect();
    assert_eq!(
        names,
        ["theme", "sAccessTokenX", "sAccessToken", "sRefreshToken"]
    );
    assert!(
        reply
            .cookie("sAccessToken")
            .is_some_and(|cookie| cookie.value != "forged")
    );
}

/// E19: whatever the application said about caching, a response with tokens is not stored.
#[tokio::test]
async fn a_response_with_tokens_is_never_stored() {
    let reply = finished_login(&[("cache-control", "public, max-age=3600")]).await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("vary"), None);
}

/// Wire §4.4, E17: exposed names are merged with those of a CORS layer, by token and without case.
#[tokio::test]
async fn exposed_headers_are_merged() {
    for (written, merged) in [
        ("x-total", "x-total, front-token"),
        ("X-Total,Front-Token", "X-Total,Front-Token"),
        ("x-front-token", "x-front-token, front-token"),
        ("", "front-token"),
        ("*", "*, front-token"),
    ] {
        let reply = finished_login(&[("access-control-expose-headers", written)]).await;
        assert_eq!(reply.exposed(), Some(merged), "{written:?}");
    }
    let reply = finished_login(&[
        ("access-control-expose-headers", "x-a"),
        ("access-control-expose-headers", "x-b"),
    ])
    .await;
    let lines = reply.headers.get_all("access-control-expose-headers");
    let lines: Vec<&HeaderValue> = lines.iter().collect();
    assert_eq!(lines, ["x-a", "x-b", "front-token"]);
    assert!(reply.headers.get("access-control-allow-origin").is_none());
}

/// K: no `Debug` on the way of a response prints a token.
#[tokio::test]
async fn no_debug_prints_a_token() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.get("/").access_cookie(&ann);
    let exchange = request.exchange();
    let session = exchange.verify(&Stateless::options()).await.unwrap();
    session.merge_payload(nickname("canary")).await.unwrap();
    let mut headers = HeaderMap::new();
    let pending = format!("{exchange:?} {session:?}");
    exchange.write_effects(&mut headers);
    let written = format!(
        "{:?}",
        headers.get_all("set-cookie").iter().collect::<Vec<_>>()
    );
    for text in [pending, written] {
        assert!(!text.contains(session.access_token().expose()));
        assert!(!text.contains("canary") && !text.contains(ann.refresh.as_str()));
    }
}

/// E12: the limit is that of browsers, on the name and the value.
#[tokio::test]
async fn the_size_of_a_cookie_is_judged_before_it_is_sent() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app.post("/").access_cookie(&ann);
    let exchange = request.exchange();
    let session = exchange.verify(&Stateless::options()).await.unwrap();
    let refused = session.merge_payload(nickname(&"x".repeat(3_000))).await;
    assert!(
        matches!(refused, Err(SessionError::InvalidPayload(_))),
        "{refused:?}"
    );
    let stored = app
        .sessions
        .information(session.handle())
        .await
        .unwrap()
        .unwrap();
    assert!(stored.payload().as_map().is_empty());
    Reply::of_handler(&exchange, Ok(None)).assert_tokens_untouched();
    assert_eq!(config().cookies().access_name(), "sAccessToken");
}
