//! Creating a session: how its tokens travel, and what becomes of an earlier one.

use serde_json::json;

use super::{TestApp, TestRequest};
use crate::{
    AppInfo, NewSession, Stateless, UserId, VerifyOptions,
    clock::unix_ms,
    config::{AccessTokenExposure, AntiCsrf, SameSite, TokenTransfer},
    token::FrontToken,
    verify::Policy as _,
};

fn in_cookies(request: TestRequest) -> TestRequest {
    request.header("st-auth-mode", "cookie")
}

/// Wire cases 30, 34, 35: two cookies with every attribute, a front token, no token headers.
#[tokio::test]
async fn a_browser_gets_its_tokens_in_cookies() {
    let app = TestApp::new().await;
    let reply = in_cookies(app.post("/login")).log_in("ann").await;
    let access = reply.cookie("sAccessToken").unwrap();
    let refresh = reply.cookie("sRefreshToken").unwrap();
    assert_eq!(reply.cookies().len(), 2);
    for (cookie, path) in [(&access, "/"), (&refresh, "/auth/session/refresh")] {
        assert_eq!(cookie.attribute("Path"), Some(path));
        assert_eq!(cookie.attribute("HttpOnly"), Some(""));
        assert_eq!(cookie.attribute("Secure"), Some(""));
        assert_eq!(cookie.attribute("SameSite"), Some("Lax"));
        assert_eq!(cookie.attribute("Domain"), None);
        assert_eq!(cookie.attribute("Max-Age"), None);
    }
    // The clock stands at 2023-11-14 22:13:20; 2024 has 366 days; 100 days lead into February.
    assert_eq!(
        access.attribute("Expires"),
        Some("Wed, 13 Nov 2024 22:13:20 GMT")
    );
    assert_eq!(
        refresh.attribute("Expires"),
        Some("Thu, 22 Feb 2024 22:13:20 GMT")
    );
    assert!(reply.header("st-access-token").is_none() && reply.header("anti-csrf").is_none());
    assert_eq!(reply.exposed(), Some("front-token"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));

    let front = FrontToken::parse(reply.header("front-token").unwrap()).unwrap();
    assert_eq!(front.user_id().as_str(), "ann");
}

/// Wire case 31: a client that keeps its tokens itself gets them in headers, and no cookie.
#[tokio::test]
async fn a_client_in_header_mode_gets_its_tokens_in_headers() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaToken)).await;
    let reply = app
        .post("/login")
        .header("st-auth-mode", "header")
        .log_in("ann")
        .await;
    assert!(
        reply
            .header("st-access-token")
            .is_some_and(|token| !token.is_empty())
    );
    assert!(
        reply
            .header("st-refresh-token")
            .is_some_and(|token| !token.is_empty())
    );
    assert!(reply.cookies().is_empty() && reply.header("anti-csrf").is_none());
    assert_eq!(
        reply.exposed(),
        Some("front-token, st-access-token, st-refresh-token")
    );
}

/// Wire case 32: without a word about it, headers.
#[tokio::test]
async fn a_client_that_does_not_say_gets_headers() {
    let app = TestApp::new().await;
    for mode in [None, Some("any"), Some("")] {
        let request = app.post("/login");
        let request = match mode {
            Some(mode) => request.header("st-auth-mode", mode),
            None => request,
        };
        let reply = request.log_in("ann").await;
        assert!(reply.cookies().is_empty() && reply.header("st-access-token").is_some());
    }
}

/// Wire §4.6: a configured method holds whatever the client asks for.
#[tokio::test]
async fn a_configured_method_wins() {
    let app = TestApp::with(|config| config.token_transfer(TokenTransfer::Cookie)).await;
    let reply = app
        .post("/login")
        .header("st-auth-mode", "header")
        .log_in("ann")
        .await;
    assert!(reply.cookie("sAccessToken").is_some() && reply.header("st-access-token").is_none());
}

/// Wire case 33: with an anti-CSRF token, exactly these headers are exposed.
#[tokio::test]
async fn an_anti_csrf_token_travels_with_the_cookies() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaToken)).await;
    let reply = in_cookies(app.post("/login")).log_in("ann").await;
    assert!(
        reply
            .header("anti-csrf")
            .is_some_and(|token| token.len() >= 22)
    );
    assert_eq!(reply.exposed(), Some("front-token, anti-csrf"));
}

/// Wire case 34: the paths follow the configuration.
#[tokio::test]
async fn cookie_paths_follow_the_configuration() {
    for (base, refresh_path) in [
        ("/custom/a", "/custom/a/session/refresh"),
        ("/", "/session/refresh"),
    ] {
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        let app = TestApp::at(app.api_base_path(base), |config| {
            config.access_token_path("/access")
        });
        let reply = in_cookies(app.await.post("/login")).log_in("ann").await;
        assert_eq!(
            reply.cookie("sAccessToken").unwrap().attribute("Path"),
            Some("/access")
        );
        assert_eq!(
            reply.cookie("sRefreshToken").unwrap().attribute("Path"),
            Some(refresh_path)
        );
    }
}

/// REQ-30: a domain and another `SameSite`, when configured.
#[tokio::test]
async fn cookie_attributes_follow_the_configuration() {
    let app = TestApp::with(|config| {
        config
            .cookie_domain(".example.com")
            .cookie_same_site(SameSite::Strict)
    });
    let reply = in_cookies(app.await.post("/login")).log_in("ann").await;
    let access = reply.cookie("sAccessToken").unwrap();
    assert_eq!(access.attribute("Domain"), Some(".example.com"));
    assert_eq!(access.attribute("SameSite"), Some("Strict"));
}

/// Wire case 40: an exposed access token is in both places, a refresh token never.
#[tokio::test]
async fn an_exposed_access_token_is_sent_twice() {
    let app =
        TestApp::with(|config| config.access_token_exposure(AccessTokenExposure::CookieAndHeader))
            .await;
    let reply = in_cookies(app.post("/login")).log_in("ann").await;
    let cookie = reply.cookie("sAccessToken").unwrap();
    assert_eq!(reply.header("st-access-token"), Some(cookie.value.as_str()));
    assert!(reply.header("st-refresh-token").is_none());
    assert_eq!(reply.exposed(), Some("front-token, st-access-token"));
}

/// Wire case 38: another provider's bearer token is cleared when the new session is in cookies.
#[tokio::test]
async fn tokens_of_the_other_method_are_cleared() {
    let app = TestApp::new().await;
    let reply = in_cookies(app.post("/login"))
        .bearer("xyz")
        .log_in("ann")
        .await;
    assert_eq!(reply.header("st-access-token"), Some(""));
    assert_eq!(reply.header("st-refresh-token"), Some(""));
    assert!(
        reply
            .header("front-token")
            .is_some_and(|front| front != "remove")
    );
    assert!(
        reply
            .cookie("sAccessToken")
            .is_some_and(|cookie| !cookie.value.is_empty())
    );

    let reply = app
        .post("/login")
        .cookie("sAccessToken", "old")
        .log_in("ann")
        .await;
    reply.assert_cookies_cleared();
    assert!(
        reply
            .header("st-access-token")
            .is_some_and(|token| !token.is_empty())
    );
    assert!(
        reply
            .header("front-token")
            .is_some_and(|front| front != "remove")
    );
}

/// E18: logging in gives a new handle and new tokens, and ends the browser's earlier session.
#[tokio::test]
async fn a_login_ends_the_session_that_the_browser_had() {
    let app = TestApp::new().await;
    let planted = app.log_in("mallory").await;
    let reply = in_cookies(app.post("/login"))
        .access_cookie(&planted)
        .log_in("ann")
        .await;
    let ann = reply.client();
    assert_ne!(ann.access, planted.access);
    assert_ne!(ann.refresh, planted.refresh);

    let asked = VerifyOptions::new().check_database(true);
    app.get("/")
        .access_cookie(&planted)
        .guarded_by(asked.clone())
        .await
        .assert_refused(401, "unauthorised");
    let reply = app.get("/").access_cookie(&ann).guarded_by(asked).await;
    assert_eq!(reply.session.unwrap().user_id().as_str(), "ann");
}

/// E18: what is no live session of ours does not stand in the way of a login.
#[tokio::test]
async fn a_login_with_unusable_tokens_succeeds() {
    let app = TestApp::new().await;
    let other = TestApp::new().await;
    let foreign = other.log_in("ann").await;
    let reply = in_cookies(app.post("/login"))
        .access_cookie(&foreign)
        .bearer("not.a.token")
        .cookie("sIdRefreshToken", "x")
        .log_in("ann")
        .await;
    assert_eq!(reply.status, 200);
    other
        .get("/")
        .access_cookie(&foreign)
        .guarded_by(Stateless::options())
        .await
        .session
        .unwrap();
}

/// E12: what a browser would drop without a word is an error, and nothing is created.
#[tokio::test]
async fn a_payload_too_large_for_a_cookie_is_refused() {
    let app = TestApp::new().await;
    let ann = UserId::try_from("ann").unwrap();
    let new = NewSession::new(ann.clone()).claim_value("roles", json!("x".repeat(3_000)));
    let reply = in_cookies(app.post("/login"))
        .log_in_with(new.clone())
        .await;
    assert_eq!(reply.status, 400);
    reply.assert_tokens_untouched();
    assert!(reply.message().contains("token"), "{}", reply.message());

    // The same payload fits into a header.
    let reply = app.post("/login").log_in_with(new).await;
    assert_eq!(reply.status, 200);
    let sessions = app
        .sessions
        .sessions_of_user(&ann, None, None, 10)
        .await
        .unwrap();
    assert_eq!(sessions.len(), 1);
}

/// E10: what the application puts into a token cannot add a line to the response.
#[tokio::test]
async fn line_breaks_in_a_payload_stay_in_it() {
    let app = TestApp::new().await;
    let evil = "a\r\nSet-Cookie: x=y\u{2028}\u{85}\u{1F600}";
    let user = UserId::try_from(evil).unwrap();
    let new = NewSession::new(user).claim_value("name", json!(format!("{evil}\0")));
    let reply = in_cookies(app.post("/login")).log_in_with(new).await;
    assert_eq!(reply.status, 200);
    for (name, value) in &reply.headers {
        let clean = value
            .as_bytes()
            .iter()
            .all(|byte| (0x20..0x7f).contains(byte));
        assert!(clean, "{name}");
    }
    let front = FrontToken::parse(reply.header("front-token").unwrap()).unwrap();
    assert_eq!(front.user_id().as_str(), evil);
}

/// Wire §4.4: the times in cookies and front token are those of the tokens.
#[tokio::test]
async fn the_front_token_tells_when_the_access_token_expires() {
    let app = TestApp::with(|config| config.expiry_jitter(0.0)).await;
    let reply = in_cookies(app.post("/login")).log_in("ann").await;
    let front = FrontToken::parse(reply.header("front-token").unwrap()).unwrap();
    let expires_at = reply.session.unwrap().access_token_expires_at();
    assert_eq!(front.access_expires_at_ms(), unix_ms(expires_at));
}
