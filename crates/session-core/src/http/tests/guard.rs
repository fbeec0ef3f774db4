//! Which token of a request counts, and what a guarded route answers (wire §4.6, §6).

use std::time::Duration;

use http::Method;

use super::TestApp;
use crate::{
    CheckDatabase, Stateless, VerifyOptions,
    config::{AntiCsrf, TokenTransfer},
    verify::Policy as _,
};

fn optional() -> VerifyOptions {
    Stateless::options().session_required(false)
}

/// E7, wire case 36: the header's session counts, and no anti-CSRF check is asked for it; the two
/// are never mixed.
#[tokio::test]
async fn a_bearer_token_beats_a_cookie() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaCustomHeader)).await;
    let (ann, bob) = (app.log_in_by_header("ann").await, app.log_in("bob").await);
    let both = || app.post("/").bearer(&ann.access).access_cookie(&bob);
    let session = both()
        .guarded_by(Stateless::options())
        .await
        .session
        .unwrap();
    assert_eq!(session.user_id().as_str(), "ann");

    // Bob's cookie alone needs the check.
    let reply = app
        .post("/")
        .access_cookie(&bob)
        .guarded_by(Stateless::options())
        .await;
    reply.assert_refused(401, "try refresh token");
}

/// Wire case 37: another provider's bearer token does not hide the cookie's session.
#[tokio::test]
async fn a_foreign_bearer_token_is_ignored() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    for foreign in ["xyz", "a.b.c", &ann.refresh, "a b"] {
        let request = app.get("/").bearer(foreign).access_cookie(&ann);
        assert!(
            request
                .guarded_by(Stateless::options())
                .await
                .session
                .is_some(),
            "{foreign}"
        );
    }
}

/// E8: two `Authorization` headers are refused, never a 5xx, and the client keeps its tokens.
#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let app = TestApp::new().await;
    let ann = app.log_in_by_header("ann").await;
    for options in [Stateless::options(), optional()] {
        let request = app.get("/").bearer(&ann.access).bearer(&ann.access);
        let reply = request.guarded_by(options).await;
        reply.assert_refused(401, "unauthorised");
        reply.assert_tokens_untouched();
    }
}

/// Wire §4.6: a configured method is the only one that is looked at.
#[tokio::test]
async fn a_token_by_a_method_that_is_not_allowed_does_not_count() {
    let cookies = TestApp::with(|config| config.token_transfer(TokenTransfer::Cookie)).await;
    let ann = cookies.log_in("ann").await;
    let request = cookies.get("/").bearer(&ann.access);
    request
        .guarded_by(Stateless::options())
        .await
        .assert_refused(401, "unauthorised");

    let headers = TestApp::with(|config| config.token_transfer(TokenTransfer::Header)).await;
    let ann = headers.log_in_by_header("ann").await;
    let request = headers.get("/").access_cookie(&ann).access_cookie(&ann);
    request
        .guarded_by(Stateless::options())
        .await
        .assert_refused(401, "unauthorised");
}

/// E1, E2, wire case 41: of two cookies nobody knows which is the browser's own, in either order and
/// over one line or two; a token in a header is not concerned.
#[tokio::test]
async fn two_access_cookies_ask_for_a_refresh() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let good = ann.access.as_str();
    for (first, second) in [(good, "evil"), ("evil", good), (good, good), ("", good)] {
        let one_line = app
            .get("/")
            .cookie("sAccessToken", format!("{first}; sAccessToken={second}"));
        let two_lines = app
            .get("/")
            .cookie("sAccessToken", first)
            .cookie("sAccessToken", second);
        for request in [one_line, two_lines] {
            let reply = request.guarded_by(optional()).await;
            reply.assert_refused(401, "try refresh token");
            reply.assert_tokens_untouched();
        }
    }
    let request = app
        .get("/")
        .bearer(good)
        .cookie("sAccessToken", good)
        .cookie("sAccessToken", "x");
    assert!(
        request
            .guarded_by(Stateless::options())
            .await
            .session
            .is_some()
    );
}

/// E2: the honest split of HTTP/2, with our cookie in the second line, works.
#[tokio::test]
async fn a_cookie_in_the_second_line_is_found() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app
        .get("/")
        .cookie("theme", "dark")
        .access_cookie(&ann)
        .cookie("lang", "de");
    assert!(
        request
            .guarded_by(Stateless::options())
            .await
            .session
            .is_some()
    );
}

/// E4: a value in quotes is not ours to unwrap.
#[tokio::test]
async fn a_quoted_token_does_not_count() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let request = app
        .get("/")
        .cookie("sAccessToken", format!("\"{}\"", ann.access));
    request
        .guarded_by(Stateless::options())
        .await
        .assert_refused(401, "unauthorised");
}

/// E6: a cookie bomb is refused, even where a session is optional.
#[tokio::test]
async fn a_cookie_bomb_is_refused() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let bomb = "a=b; ".repeat(10_000);
    let request = app
        .get("/")
        .header("cookie", format!("{bomb}sAccessToken={}", ann.access));
    request
        .guarded_by(optional())
        .await
        .assert_refused(401, "unauthorised");
}

/// E9: a token anywhere else is no token.
#[tokio::test]
async fn a_token_elsewhere_is_ignored() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let path = format!("/?access_token={0}&sAccessToken={0}", ann.access);
    let request = app
        .get(&path)
        .header("sec-websocket-protocol", &ann.access)
        .header("st-access-token", &ann.access)
        .header("x-access-token", &ann.access);
    request
        .guarded_by(Stateless::options())
        .await
        .assert_refused(401, "unauthorised");
}

/// Wire case 43: a cookie of an older protocol asks for a refresh, even beside a bearer token.
#[tokio::test]
async fn a_legacy_cookie_asks_for_a_refresh() {
    let app = TestApp::new().await;
    let ann = app.log_in_by_header("ann").await;
    let request = app
        .get("/")
        .bearer(&ann.access)
        .cookie("sIdRefreshToken", "x");
    request
        .guarded_by(optional())
        .await
        .assert_refused(401, "try refresh token");
}

/// Wire cases 44, 45: without a token, nothing is cleared, and an optional session is none.
#[tokio::test]
async fn a_request_without_a_token_is_refused_or_passes_without_a_session() {
    let app = TestApp::new().await;
    let reply = app.get("/").guarded_by(Stateless::options()).await;
    reply.assert_refused(401, "unauthorised");
    reply.assert_tokens_untouched();

    let reply = app.get("/").guarded_by(optional()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.session.is_none());
}

/// Wire case 46: what is no session token counts as none.
#[tokio::test]
async fn a_malformed_cookie_counts_as_none() {
    let app = TestApp::new().await;
    for value in ["garbage", "a.b.c", "", "%zz", "a b"] {
        let reply = app
            .get("/")
            .cookie("sAccessToken", value)
            .guarded_by(optional())
            .await;
        assert!(reply.status == 200 && reply.session.is_none(), "{value}");
        let request = app.get("/").cookie("sAccessToken", value);
        let reply = request.guarded_by(Stateless::options()).await;
        reply.assert_refused(401, "unauthorised");
        reply.assert_tokens_untouched();
    }
}

/// Wire case 47: an expired session is refused where it is optional, so that the client refreshes.
#[tokio::test]
async fn an_expired_session_is_refused_even_where_it_is_optional() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    app.clock.advance(Duration::from_hours(1));
    let reply = app
        .get("/")
        .access_cookie(&ann)
        .guarded_by(optional())
        .await;
    reply.assert_refused(401, "try refresh token");
    reply.assert_tokens_untouched();
}

/// Wire case 48: the same revoked session passes, or is refused with everything cleared.
#[tokio::test]
async fn a_revoked_session_is_refused_and_cleared_where_the_database_is_asked() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let reply = app
        .get("/")
        .access_cookie(&ann)
        .guarded_by(Stateless::options())
        .await;
    app.sessions
        .revoke(reply.session.unwrap().handle())
        .await
        .unwrap();

    let reply = app
        .get("/")
        .access_cookie(&ann)
        .guarded_by(Stateless::options())
        .await;
    assert_eq!(reply.status, 200);
    let reply = app
        .get("/")
        .access_cookie(&ann)
        .guarded_by(CheckDatabase::options())
        .await;
    reply.assert_refused(401, "unauthorised");
    reply.assert_tokens_cleared();
}

/// Wire case 51: a preflight reaches the handler without a session, whatever it carries.
#[tokio::test]
async fn a_preflight_passes_without_a_session() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    for method in [Method::OPTIONS, Method::TRACE] {
        let request = app
            .request(method.clone(), "/")
            .access_cookie(&ann)
            .cookie("sIdRefreshToken", "x");
        let reply = request.guarded_by(CheckDatabase::options()).await;
        assert!(reply.status == 200 && reply.session.is_none());

        let request = app.request(method, "/").access_cookie(&ann);
        let exchange = request.exchange();
        let asked = exchange.verify(&Stateless::options()).await;
        assert_eq!(asked.unwrap_err().to_response().status(), 401);
    }
}
