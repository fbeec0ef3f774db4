//! Routes that want a session: who is let in, and what the others are told.

use http::{HeaderValue, Method, header::COOKIE};
use serde_json::json;

use crate::{
    client::{Client, REFRESH},
    framework::{Framework, on_every_framework},
    server::Server,
};

on_every_framework! {
    a_session_is_found_and_counted,
    whoever_has_no_token_gets_an_empty_object,
    a_token_of_another_signature_is_to_be_refreshed,
    a_cookie_needs_its_anti_csrf_token_where_something_may_change,
    nothing_asks_for_an_anti_csrf_token_where_there_is_none,
    a_session_in_headers_needs_no_anti_csrf_token,
    a_cookie_of_old_is_to_be_refreshed_away,
    a_cookie_session_outlives_a_switch_to_headers,
    a_logout_ends_the_session_and_clears_its_tokens,
}

/// What the suite's routes with a session are.
pub(crate) const WITH_SESSION: [(Method, &str); 7] = [
    (Method::GET, "/"),
    (Method::GET, "/check-rid"),
    (Method::GET, "/update-jwt"),
    (Method::POST, "/update-jwt"),
    (Method::POST, "/update-jwt-with-handle"),
    (Method::POST, "/session-claims-error"),
    (Method::POST, "/logout"),
];

/// Contract §1 GET /: only one that was verified is counted.
async fn a_session_is_found_and_counted(framework: Framework) {
    let server = Server::start(framework);
    for mut client in [server.browser(), server.app()] {
        client.log_in("ann").await;
        client.get("/").await.assert_text(200, "ann");
    }
    assert_eq!(server.get("/").await.status, 401);
    assert_eq!(server.get("/?at=home").await.status, 401);
    assert_eq!(server.count("/getSessionCalledTime").await, 2);
}

/// Contract §3 S, no token at all: nothing is cleared.
async fn whoever_has_no_token_gets_an_empty_object(framework: Framework) {
    let server = Server::shared(framework);
    let mut stranger = server.browser();
    for (method, path) in WITH_SESSION {
        let answer = stranger.send(stranger.request(method, path)).await;
        answer.assert_refused(401, &json!({}));
    }
}

/// Contract §3 S, garbage access token: nothing is cleared. `lifetimes` has the expired ones.
async fn a_token_of_another_signature_is_to_be_refreshed(framework: Framework) {
    let server = Server::shared(framework);
    for mut client in [server.browser(), server.app()] {
        client.log_in("ann").await;
        let mut other = client.clone();
        other.log_in("ben").await;
        let (ours, theirs) = (client.access.take().unwrap(), other.access.unwrap());
        let (signed, _) = ours.rsplit_once('.').unwrap();
        let (_, signature) = theirs.rsplit_once('.').unwrap();
        client.access = Some(format!("{signed}.{signature}"));
        for (method, path) in WITH_SESSION {
            let answer = client.send(client.request(method, path)).await;
            answer.assert_refused(401, &json!({ "message": "try refresh token" }));
        }
    }
}

/// Contract §2 anti-csrf, §3 S, GET with wrong or missing anti-csrf.
async fn a_cookie_needs_its_anti_csrf_token_where_something_may_change(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    for anti_csrf in [None, Some("wrong".to_owned())] {
        let mut without = Client {
            anti_csrf,
            ..browser.clone()
        };
        without.get("/").await.assert_text(200, "ann");
        let refused = without.post("/logout").await;
        refused.assert_refused(401, &json!({ "message": "try refresh token" }));
    }
    browser.post("/logout").await.assert_text(200, "success");
}

/// Contract §2 anti-csrf: NONE.
async fn nothing_asks_for_an_anti_csrf_token_where_there_is_none(framework: Framework) {
    let st = json!({ "enableAntiCsrf": false });
    let server = Server::with(framework, json!({}), st).await;
    let mut browser = server.browser();
    let answer = browser.log_in("ann").await;
    assert!(!answer.has("anti-csrf"));
    assert_eq!(answer.exposed(), ["front-token"]);
    assert_eq!(answer.claims()["antiCsrfToken"], json!(null));
    assert!(!browser.refresh().await.has("anti-csrf"));
    browser.post("/logout").await.assert_text(200, "success");
}

/// Contract §2 anti-csrf: cookies alone.
async fn a_session_in_headers_needs_no_anti_csrf_token(framework: Framework) {
    let server = Server::shared(framework);
    let mut app = server.app();
    app.log_in("ann").await;
    let refreshed = app.refresh().await;
    refreshed.assert_text(200, "refresh success");
    assert!(!refreshed.has("anti-csrf") && app.anti_csrf.is_none());
    app.post("/logout").await.assert_text(200, "success");
}

/// Contract §3 S, legacy cookie sIdRefreshToken present: even with a valid access token, and the
/// refresh clears it.
async fn a_cookie_of_old_is_to_be_refreshed_away(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let with_old = |browser: &Client<'_>, method, path| {
        let mut request = browser.request(method, path);
        let ours = request.headers()[COOKIE].to_str().unwrap();
        let cookies = HeaderValue::try_from(format!("{ours}; sIdRefreshToken=old"));
        request.headers_mut().insert(COOKIE, cookies.unwrap());
        request
    };
    let refused = browser.send(with_old(&browser, Method::GET, "/")).await;
    refused.assert_refused(401, &json!({ "message": "try refresh token" }));

    let mut refresh = with_old(&browser, Method::POST, REFRESH);
    refresh
        .headers_mut()
        .insert("rid", HeaderValue::from_static("session"));
    let refreshed = browser.send(refresh).await;
    refreshed.assert_text(200, "refresh success");
    let expires = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    let attributes = vec!["Path=/", expires, "HttpOnly", "SameSite=Lax"];
    let cookies = refreshed.cookies();
    assert_eq!(cookies.get("sIdRefreshToken"), Some(&("", attributes)));
    browser.get("/").await.assert_text(200, "ann");
}

/// Contract §2 token transfer: after the login, the token that is there decides.
async fn a_cookie_session_outlives_a_switch_to_headers(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    browser.auth_mode = Some("header");
    browser.get("/").await.assert_text(200, "ann");
    let refreshed = browser.refresh().await;
    refreshed.assert_text(200, "refresh success");
    assert_eq!(refreshed.cookie_names(), ["sAccessToken", "sRefreshToken"]);
    assert!(!refreshed.has("st-access-token") && !refreshed.has("st-refresh-token"));
    browser.get("/").await.assert_text(200, "ann");
}

/// Contract §1 POST /logout, §3 logout.
async fn a_logout_ends_the_session_and_clears_its_tokens(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let browser_before = browser.clone();
    let answer = browser.post("/logout").await;
    answer.assert_text(200, "success");
    answer.assert_cookies_cleared();
    assert_eq!(answer.header("front-token"), Some("remove"));
    assert_eq!(answer.exposed(), ["front-token"]);
    assert!(!answer.has("st-access-token"));

    let mut app = server.app();
    app.log_in("ann").await;
    let app_before = app.clone();
    let answer = app.post("/logout").await;
    answer.assert_text(200, "success");
    for (name, value) in [
        ("front-token", "remove"),
        ("st-access-token", ""),
        ("st-refresh-token", ""),
    ] {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    assert_eq!(
        answer.exposed(),
        ["front-token", "st-access-token", "st-refresh-token"]
    );
    assert!(!answer.has("set-cookie"));

    // Revoked, and not only forgotten.
    for mut before in [browser_before, app_before] {
        let refused = before.refresh().await;
        refused.assert_refused_and_cleared(&json!({}));
    }
}
