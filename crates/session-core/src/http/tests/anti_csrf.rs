//! What another site can make a browser send, and what it cannot (wire §9.3).

use http::Method;

use super::TestApp;
use crate::{Stateless, config::AntiCsrf, verify::Policy as _};

/// E14, wire case 49: with anti-CSRF tokens, what is not a GET needs the session's own.
#[tokio::test]
async fn a_cross_site_post_without_the_anti_csrf_token_is_refused() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaToken)).await;
    let (ann, bob) = (app.log_in("ann").await, app.log_in("bob").await);
    let post = || {
        let request = app.post("/").access_cookie(&ann);
        request
            .header("sec-fetch-site", "cross-site")
            .header("origin", "null")
    };
    let wrong = [None, Some(""), Some("guess"), bob.anti_csrf.as_deref()];
    for token in wrong {
        let request = match token {
            Some(token) => post().header("anti-csrf", token),
            None => post(),
        };
        let reply = request.guarded_by(Stateless::options()).await;
        reply.assert_refused(401, "try refresh token");
        reply.assert_tokens_untouched();
    }
    let token = ann.anti_csrf.as_deref().unwrap();
    let twice = post().header("anti-csrf", token).header("anti-csrf", token);
    twice
        .guarded_by(Stateless::options())
        .await
        .assert_refused(401, "try refresh token");

    let own = post()
        .header("anti-csrf", token)
        .guarded_by(Stateless::options())
        .await;
    assert!(own.session.is_some());
    let unchecked = post()
        .guarded_by(Stateless::options().anti_csrf_check(false))
        .await;
    assert!(unchecked.session.is_some());
    let get = app
        .get("/")
        .access_cookie(&ann)
        .guarded_by(Stateless::options())
        .await;
    assert!(get.session.is_some());
}

/// E14, wire case 50: with the custom header, any value will do, and HEAD is checked as every method
/// but GET.
#[tokio::test]
async fn a_cross_site_post_without_the_custom_header_is_refused() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaCustomHeader)).await;
    let ann = app.log_in("ann").await;
    for method in [
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
    ] {
        let request = || app.request(method.clone(), "/").access_cookie(&ann);
        let form = request()
            .header("content-type", "text/plain")
            .header("x-http-method", "GET");
        form.guarded_by(Stateless::options())
            .await
            .assert_refused(401, "try refresh token");
        let ours = request()
            .header("rid", "anything")
            .guarded_by(Stateless::options())
            .await;
        assert!(ours.session.is_some(), "{method}");
    }
    let checked_get = Stateless::options().anti_csrf_check(true);
    let request = app.get("/").access_cookie(&ann);
    request
        .guarded_by(checked_get)
        .await
        .assert_refused(401, "try refresh token");

    let header = app.log_in_by_header("ann").await;
    let reply = app
        .post("/")
        .bearer(&header.access)
        .guarded_by(Stateless::options())
        .await;
    assert!(reply.session.is_some());
}

/// E7, E14: a bearer token that is not ours is as if it were not there, so the cookie is checked as
/// any cookie is.
#[tokio::test]
async fn a_foreign_bearer_token_is_no_way_around_the_anti_csrf_check() {
    let app = TestApp::with(|config| config.anti_csrf(AntiCsrf::ViaCustomHeader)).await;
    let ann = app.log_in("ann").await;
    let request = app.post("/").bearer("xyz").access_cookie(&ann);
    request
        .guarded_by(Stateless::options())
        .await
        .assert_refused(401, "try refresh token");
}
