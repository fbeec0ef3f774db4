//! The refresh route, step by step (wire §4.6, §4.7).

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::{Client, Reply, TestApp, TestRequest};
use crate::{
    AppInfo,
    config::{AntiCsrf, TokenTransfer},
    http::Exchange,
};

const REFRESH: &str = "/auth/session/refresh";

async fn refreshed(request: TestRequest) -> Reply {
    request.routed().await.unwrap()
}

fn by_cookie(app: &TestApp, client: &Client) -> TestRequest {
    app.post(REFRESH).all_cookies(client)
}

/// Wire case 58: new tokens, a front token and an empty object.
#[tokio::test]
async fn a_refresh_gives_the_next_tokens() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let reply = refreshed(by_cookie(&app, &ann)).await;
    assert_eq!((reply.status.as_u16(), &reply.body), (200, &json!({})));
    assert!(
        reply
            .header("front-token")
            .is_some_and(|front| front != "remove")
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let next = reply.client();
    assert_ne!(next.access, ann.access);
    assert_ne!(next.refresh, ann.refresh);
}

/// Wire case 74: a tenant, a trailing slash and an odd `rid` are handled; another case or a GET is
/// not (E15).
#[tokio::test]
async fn the_route_is_found_by_path_and_method() {
    let app = TestApp::new().await;
    for path in ["/auth/session/refresh/", "/auth/t1/session/refresh"] {
        assert!(
            Exchange::answers(&app.sessions, &Method::POST, path),
            "{path}"
        );
        assert!(
            !Exchange::answers(&app.sessions, &Method::GET, path),
            "{path}"
        );
        assert!(
            app.post(path)
                .header("rid", "nope")
                .routed()
                .await
                .is_some(),
            "{path}"
        );
    }
    assert!(app.post("/Auth/session/refresh").routed().await.is_none());
    let ann = app.log_in("ann").await;
    assert!(app.get(REFRESH).all_cookies(&ann).routed().await.is_none());
    assert!(
        app.get("/auth/signout")
            .all_cookies(&ann)
            .routed()
            .await
            .is_none()
    );
}

/// Wire case 56: nothing to refresh with: refused, and everything cleared.
#[tokio::test]
async fn a_refresh_without_a_token_clears_everything() {
    let app = TestApp::new().await;
    let reply = refreshed(app.post(REFRESH)).await;
    reply.assert_refused(401, "unauthorised");
    reply.assert_tokens_cleared();
}

/// Wire case 57: an access cookie alone is nothing to refresh with.
#[tokio::test]
async fn a_refresh_with_only_an_access_cookie_clears_everything() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let reply = refreshed(app.post(REFRESH).access_cookie(&ann)).await;
    reply.assert_refused(401, "unauthorised");
    reply.assert_tokens_cleared();
}

/// Wire case 23, E8: garbage is unauthorised and never theft, however it is sent.
#[tokio::test]
async fn garbage_is_unauthorised_and_never_theft() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    for request in [
        app.post(REFRESH).bearer("garbage"),
        app.post(REFRESH).bearer(&ann.access),
        app.post(REFRESH).bearer("a b, c"),
        app.post(REFRESH).bearer("x".repeat(100_000)),
        app.post(REFRESH).cookie("sRefreshToken", "garbage"),
        app.post(REFRESH).cookie("sRefreshToken", "%ff\""),
    ] {
        let reply = refreshed(request).await;
        reply.assert_refused(401, "unauthorised");
        reply.assert_tokens_cleared();
    }
}

/// E8: two `Authorization` headers are refused, and the client keeps its tokens.
#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let app = TestApp::new().await;
    let ann = app.log_in_by_header("ann").await;
    let request = app.post(REFRESH).bearer(&ann.refresh).bearer(&ann.refresh);
    let reply = refreshed(request).await;
    reply.assert_refused(401, "unauthorised");
    reply.assert_tokens_untouched();
}

/// Wire §4.6: in header mode the refresh token comes as bearer token and nowhere else.
#[tokio::test]
async fn a_client_in_header_mode_sends_the_refresh_token_as_bearer_token() {
    let app = TestApp::new().await;
    let ann = app.log_in_by_header("ann").await;
    let reply = refreshed(app.post(REFRESH).header("st-refresh-token", &ann.refresh)).await;
    reply.assert_refused(401, "unauthorised");

    let reply = refreshed(app.post(REFRESH).bearer(&ann.refresh)).await;
    assert_eq!(reply.status, 200);
    assert!(reply.cookies().is_empty());
    assert_eq!(
        reply.exposed(),
        Some("front-token, st-access-token, st-refresh-token")
    );
}

/// Wire case 39: the header's refresh token counts, and the cookies are cleared.
#[tokio::test]
async fn a_bearer_token_beats_a_cookie() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.log_in_by_header("ann").await, app.log_in("bob").await);
    let reply = refreshed(by_cookie(&app, &bob).bearer(&ann.refresh)).await;
    assert_eq!(reply.status, 200);
    reply.assert_cookies_cleared();
    assert!(
        reply
            .header("st-refresh-token")
            .is_some_and(|token| !token.is_empty())
    );
    assert!(
        reply
            .header("front-token")
            .is_some_and(|front| front != "remove")
    );
}

/// Wire §4.6 step 6: a bearer token is cleared where cookies alone are allowed.
#[tokio::test]
async fn the_method_that_is_not_used_is_cleared() {
    let app = TestApp::with(|config| config.token_transfer(TokenTransfer::Cookie)).await;
    let ann = app.log_in("ann").await;
    let reply = refreshed(by_cookie(&app, &ann).bearer("xyz")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("st-access-token"), Some(""));
    assert_eq!(reply.header("st-refresh-token"), Some(""));
    assert!(
        reply
            .cookie("sRefreshToken")
            .is_some_and(|cookie| !cookie.value.is_empty())
    );
}

/// Wire case 42: without an older domain nobody knows which cookie is meant.
#[tokio::test]
async fn duplicate_cookies_cannot_be_resolved_without_an_older_domain() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let reply = refreshed(by_cookie(&app, &ann).cookie("sRefreshToken", "older")).await;
    assert_eq!(reply.status, 500);
    reply.assert_tokens_untouched();
}

/// Wire case 42, E1, E2: the older ones are cleared at their domain, and the next refresh works.
#[tokio::test]
async fn duplicate_cookies_of_an_older_domain_are_cleared_first() {
    let app = TestApp::with(|config| config.older_cookie_domain(".example.com")).await;
    let ann = app.log_in("ann").await;
    let reply = refreshed(by_cookie(&app, &ann).cookie("sRefreshToken", "older")).await;
    assert_eq!(reply.status, 200);
    assert!(!reply.message().is_empty());
    assert_eq!(reply.header("front-token"), None);
    assert_eq!(reply.cookies().len(), 1);
    let cleared = reply.cookie("sRefreshToken").unwrap();
    assert_eq!(cleared.value, "");
    assert_eq!(cleared.attribute("Domain"), Some(".example.com"));
    assert_eq!(cleared.attribute("Path"), Some(REFRESH));

    let both = by_cookie(&app, &ann)
        .cookie("sRefreshToken", "x")
        .cookie("sAccessToken", "x");
    assert_eq!(refreshed(both).await.cookies().len(), 2);
    assert_eq!(refreshed(by_cookie(&app, &ann)).await.status, 200);
}

/// Wire §4.7: an older domain that is empty means cookies without one.
#[tokio::test]
async fn an_empty_older_domain_clears_host_only_cookies() {
    let app =
        TestApp::with(|config| config.cookie_domain(".example.com").older_cookie_domain("")).await;
    let ann = app.log_in("ann").await;
    let reply = refreshed(by_cookie(&app, &ann).cookie("sAccessToken", "older")).await;
    let cleared = reply.cookie("sAccessToken").unwrap();
    assert_eq!(
        (cleared.value.as_str(), cleared.attribute("Domain")),
        ("", None)
    );
}

/// Wire §4.7: cookies do not matter where only headers are allowed.
#[tokio::test]
async fn duplicate_cookies_do_not_matter_in_header_mode() {
    let app = TestApp::with(|config| config.token_transfer(TokenTransfer::Header)).await;
    let ann = app.log_in_by_header("ann").await;
    let request = app.post(REFRESH).bearer(&ann.refresh);
    let request = request
        .cookie("sRefreshToken", "a")
        .cookie("sRefreshToken", "b");
    assert_eq!(refreshed(request).await.status, 200);
}

/// Wire case 43: a refresh removes the cookie of the older protocol, whether it succeeds or not.
#[tokio::test]
async fn a_legacy_cookie_is_cleared() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    for request in [by_cookie(&app, &ann), app.post(REFRESH)] {
        let reply = refreshed(request.cookie("sIdRefreshToken", "x")).await;
        let legacy = reply.cookie("sIdRefreshToken").unwrap();
        assert_eq!(legacy.value, "");
        assert_eq!(legacy.attribute("Path"), Some("/"));
    }
    assert!(
        refreshed(by_cookie(&app, &ann))
            .await
            .cookie("sIdRefreshToken")
            .is_none()
    );
}

/// E15, wire case 59: a cross-site form can neither refresh nor sign out, and a failed refresh
/// clears.
#[tokio::test]
async fn a_cross_site_refresh_is_refused() {
    for mode in [AntiCsrf::ViaCustomHeader, AntiCsrf::ViaToken] {
        let app = TestApp::with(|config| config.anti_csrf(mode)).await;
        let ann = app.log_in("ann").await;
        let form = |path| {
            let request = app.post(path).all_cookies(&ann);
            request
                .header("origin", "null")
                .header("sec-fetch-site", "cross-site")
        };
        let reply = refreshed(form(REFRESH)).await;
        reply.assert_refused(401, "unauthorised");
        reply.assert_tokens_cleared();
        let reply = form("/auth/signout").routed().await.unwrap();
        reply.assert_refused(401, "try refresh token");
        reply.assert_tokens_untouched();

        let request = form(REFRESH).header("rid", "session");
        let request = match &ann.anti_csrf {
            Some(token) => request.header("anti-csrf", token),
            None => request,
        };
        assert_eq!(refreshed(request).await.status, 200, "{mode:?}");
    }
}

/// E16: each generation has its own anti-CSRF token, and the earlier one serves no more.
#[tokio::test]
async fn the_anti_csrf_token_changes_with_each_refresh() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaToken)).await;
    let first = app.log_in("ann").await;
    let request = by_cookie(&app, &first).header("anti-csrf", first.anti_csrf.as_deref().unwrap());
    let second = refreshed(request).await.client();
    assert_ne!(first.anti_csrf, second.anti_csrf);
    let request = by_cookie(&app, &second).header("anti-csrf", first.anti_csrf.as_deref().unwrap());
    refreshed(request).await.assert_refused(401, "unauthorised");
}

/// Wire case 21: a token replayed after its window is theft, and everything is cleared.
#[tokio::test]
async fn a_late_replay_is_theft_and_clears_everything() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let next = refreshed(by_cookie(&app, &ann)).await.client();
    app.clock.advance(Duration::from_secs(31));
    let reply = refreshed(by_cookie(&app, &ann)).await;
    reply.assert_refused(401, "token theft detected");
    reply.assert_tokens_cleared();
    refreshed(by_cookie(&app, &next))
        .await
        .assert_refused(401, "unauthorised");
}

/// Wire case 34: the route moves with the base path.
#[tokio::test]
async fn the_route_follows_the_base_path() {
    let app = AppInfo::new("https://api.example.com", "https://example.com");
    let app = TestApp::at(
        app.api_gateway_path("/gateway").api_base_path("/"),
        |config| config,
    )
    .await;
    assert!(
        app.post("/gateway/session/refresh")
            .routed()
            .await
            .is_some()
    );
    assert!(
        app.post("/other/auth/session/refresh")
            .routed()
            .await
            .is_none()
    );
}
