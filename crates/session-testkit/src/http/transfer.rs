//! How tokens travel: in cookies or in headers, and what goes with them (wire §4.2 to §4.6).

use std::time::Duration;

use http::Method;
use serde_json::json;
use session_core::config::{AccessTokenExposure, AntiCsrf};

use super::{
    TestApp,
    client::{Mode, claims},
};

/// Wire case 30: a browser that asks for cookies gets two, and nothing in headers but the front
/// token.
pub async fn a_cookie_login_sets_two_cookies_and_a_front_token(app: &TestApp) {
    let browser = app.browser(Mode::Cookie);
    let answer = browser.log_in(json!({ "user": "alice" })).await;

    answer.assert_user("alice");
    assert_eq!(answer.set_cookies().len(), 2);
    for (cookie, path) in [
        (answer.access_cookie(), "/"),
        (answer.refresh_cookie(), "/auth/session/refresh"),
    ] {
        let cookie = cookie.unwrap();
        assert!(!cookie.value.is_empty());
        assert_eq!(cookie.attribute("Path"), Some(path));
        assert_eq!(cookie.attribute("HttpOnly"), Some(""));
        assert_eq!(cookie.attribute("SameSite"), Some("Lax"));
        assert_eq!(cookie.attribute("Domain"), None);
        assert_eq!(cookie.attribute("Max-Age"), None);
    }
    assert_eq!(answer.exposed(), ["front-token"]);
    let front_token = answer.front_token().unwrap();
    assert_eq!(front_token.user_id().as_str(), "alice");
    let claims = claims(&browser.access_token());
    assert_eq!(json!(front_token.payload()), claims);
    assert_eq!(
        json!(front_token.access_expires_at_ms()),
        json!(claims["exp"].as_i64().unwrap() * 1_000)
    );
}

/// Wire case 31: a client that asks for headers gets both tokens there, exposed, and no cookie.
pub async fn a_header_login_sends_both_tokens_in_headers(app: &TestApp) {
    let app = app
        .with(|builder| builder.config(|config| config.anti_csrf(AntiCsrf::ViaToken)))
        .await;
    let browser = app.browser(Mode::Header);
    let answer = browser.log_in(json!({ "user": "alice" })).await;

    answer.assert_user("alice");
    assert!(answer.set_cookies().is_empty());
    assert!(!answer.st_access_token().unwrap().is_empty());
    assert!(!answer.st_refresh_token().unwrap().is_empty());
    assert_eq!(
        answer.exposed(),
        ["front-token", "st-access-token", "st-refresh-token"]
    );
    assert_eq!(
        claims(&browser.access_token())["antiCsrfToken"],
        json!(null)
    );
    browser.get("/stateless").await.assert_user("alice");
    browser.post("/stateless").await.assert_user("alice");
}

/// Wire case 32: without a wish, tokens travel in headers.
pub async fn a_login_without_a_wish_sends_headers(app: &TestApp) {
    for wish in [None, Some("any"), Some(""), Some("cookies")] {
        let mut request = app.post("/login").json(&login("alice"));
        if let Some(wish) = wish {
            request = request.header("st-auth-mode", wish);
        }
        let answer = request.send().await;
        answer.assert_user("alice");
        assert!(answer.set_cookies().is_empty(), "{wish:?}");
        assert!(answer.st_access_token().is_some(), "{wish:?}");
    }
    let request = app.post("/login").json(&login("alice"));
    let answer = request.header("st-auth-mode", "Cookie").send().await;
    assert!(answer.access_cookie().is_some(), "compared lower-cased");
}

/// Wire case 33: with an anti-CSRF token, that is exposed, too.
pub async fn an_anti_csrf_token_is_sent_and_exposed(app: &TestApp) {
    let app = app
        .with(|builder| builder.config(|config| config.anti_csrf(AntiCsrf::ViaToken)))
        .await;
    let browser = app.browser(Mode::Cookie);
    let answer = browser.log_in(json!({ "user": "alice" })).await;

    assert_eq!(answer.exposed(), ["front-token", "anti-csrf"]);
    let claims = claims(&browser.access_token());
    assert_eq!(claims["antiCsrfToken"], answer.anti_csrf().unwrap());
}

/// Wire case 35: the access cookie outlives its token by far, the refresh cookie ends with the
/// session.
pub async fn the_cookies_expire_when_they_should(app: &TestApp) {
    let answer = app
        .browser(Mode::Cookie)
        .log_in(json!({ "user": "alice" }))
        .await;
    let expires = |cookie: Option<&super::client::SetCookie>| cookie.unwrap().expires_at_s();
    let days = |days: i64| app.now_s() + days * 24 * 3_600;
    assert_eq!(expires(answer.access_cookie()), Some(days(365)));
    assert_eq!(expires(answer.refresh_cookie()), Some(days(100)));
}

/// Wire case 36, E7: where both come, the header's session is the one, whoever the cookie's is.
pub async fn a_header_token_beats_a_cookie(app: &TestApp) {
    let alice = app.log_in_by(Mode::Header, "alice").await;
    let bob = app.log_in("bob").await;

    for method in [Method::GET, Method::POST] {
        let request = bob.request(method, "/stateless");
        let answer = request.bearer(&alice.access_token()).send().await;
        answer.assert_user("alice").assert_tokens_untouched();
    }
}

/// Wire case 37: somebody else's bearer token is no session's, so the cookie counts.
pub async fn a_foreign_bearer_token_does_not_hide_the_cookie(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for foreign in ["xyz", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.x"] {
        let request = alice.request(Method::GET, "/stateless");
        request.bearer(foreign).send().await.assert_user("alice");
    }
}

/// Wire case 38: a login by cookie takes away what the client sends as a bearer token, and tells
/// the front end of the new session.
pub async fn a_cookie_login_clears_header_tokens(app: &TestApp) {
    let request = app.post("/login").json(&login("alice"));
    let answer = request
        .header("st-auth-mode", "cookie")
        .bearer("xyz")
        .send()
        .await;
    answer.assert_user("alice").assert_headers_cleared();
    assert!(!answer.access_cookie().unwrap().is_removal());
    assert!(answer.front_token().is_some());
}

/// Wire case 38 (the other way round): a login by header takes the cookies away.
pub async fn a_header_login_clears_cookies(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let request = alice.request(Method::POST, "/login").json(&login("bob"));
    let answer = request
        .without("st-auth-mode")
        .header("st-auth-mode", "header")
        .send()
        .await;
    answer.assert_user("bob").assert_cookies_cleared();
    assert!(!answer.st_access_token().unwrap().is_empty());
    assert!(answer.front_token().is_some());
}

/// Wire case 39: a refresh that brings both uses the header's token and takes the cookies away.
pub async fn a_refresh_with_both_uses_the_header(app: &TestApp) {
    let alice = app.log_in_by(Mode::Header, "alice").await;
    let bob = app.log_in("bob").await;

    let request = bob.refresh_request().bearer(&alice.refresh_token());
    let answer = request.send().await;
    answer.assert_status(200).assert_cookies_cleared();
    assert!(!answer.st_access_token().unwrap().is_empty());
    let front_token = answer.front_token().unwrap();
    assert_eq!(front_token.user_id().as_str(), "alice");
}

/// Wire case 40: an exposed access token is in a header as well; the refresh token never is.
pub async fn an_exposed_access_token_travels_twice(app: &TestApp) {
    let app = app
        .with(|builder| {
            builder
                .config(|config| config.access_token_exposure(AccessTokenExposure::CookieAndHeader))
        })
        .await;
    let browser = app.browser(Mode::Cookie);
    let login = browser.log_in(json!({ "user": "alice" })).await;
    app.advance(Duration::from_secs(1));
    for answer in [login, browser.refresh().await] {
        answer.assert_status(200);
        let cookie = &answer.access_cookie().unwrap().value;
        assert_eq!(answer.st_access_token(), Some(cookie.as_str()));
        assert_eq!(answer.st_refresh_token(), None);
    }
}

fn login(user: &str) -> serde_json::Value {
    super::test_app::login_body(&json!({ "user": user }))
}
