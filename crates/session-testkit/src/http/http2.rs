//! What differs over HTTP/2: cookies may come in any number of lines (RFC 9113 §8.2.3).

use http::Method;
use serde_json::json;

use super::{TestApp, client::Mode, test_app::login_body};

/// E2 (wire §4.7): a session over HTTP/2, from login to sign-out.
pub async fn a_session_lives_over_http2(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.browser(mode);
        let login = alice.request(Method::POST, "/login");
        let login = login.json(&login_body(&json!({ "user": "alice" })));
        login.send_http2().await.assert_user("alice");
        let get = alice.request(Method::GET, "/database");
        get.send_http2().await.assert_user("alice");
        let answer = alice.refresh_request().send_http2().await;
        answer.assert_status(200);
        let sign_out = alice.request(Method::POST, "/auth/signout");
        sign_out.send_http2().await.assert_status(200);
        assert!(!alice.has_session());
    }
}

/// E2: an honest client may send each cookie in a line of its own.
pub async fn split_cookies_are_read_over_http2(app: &TestApp) {
    let alice = app.log_in("alice").await.access_token();
    let request = app
        .get("/stateless")
        .header("cookie", "theme=dark")
        .header("cookie", "lang=en")
        .cookie("sAccessToken", &alice)
        .header("cookie", "a=b");
    request.send_http2().await.assert_user("alice");
}

/// E2, wire cases 41, 42: a duplicate is seen over all lines, on routes and at refresh.
pub async fn split_duplicates_are_seen_over_http2(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for other in ["evil", &alice.access_token()] {
        let request = app
            .get("/stateless")
            .cookie("sAccessToken", &alice.access_token())
            .header("cookie", "a=b")
            .cookie("sAccessToken", other);
        request.send_http2().await.assert_try_refresh_token();
    }
    let request = app
        .post(app.refresh_path())
        .cookie("sRefreshToken", &alice.refresh_token())
        .cookie("sRefreshToken", "older");
    let answer = request.send_http2().await;
    answer.assert_status(500).assert_tokens_untouched();
    alice.refresh().await.assert_status(200);
}
