//! POST /auth/signout.

use serde_json::json;

use crate::{
    client::Client,
    framework::{Framework, on_every_framework},
    server::Server,
};

on_every_framework! {
    a_sign_out_ends_the_session_and_clears_its_tokens,
    without_a_session_there_is_nothing_to_sign_out_of,
    a_sign_out_in_cookies_needs_its_anti_csrf_token,
}

/// Contract §1 POST /auth/signout, §3 signout.
async fn a_sign_out_ends_the_session_and_clears_its_tokens(framework: Framework) {
    let server = Server::shared(framework);
    let ok = json!({ "status": "OK" });
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let mut before = browser.clone();
    let answer = browser.post("/auth/signout").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, ok.clone()),
        "{answer:?}"
    );
    answer.assert_cookies_cleared();
    assert_eq!(answer.header("front-token"), Some("remove"));
    assert_eq!(answer.exposed(), ["front-token"]);
    before
        .refresh()
        .await
        .assert_refused_and_cleared(&json!({}));

    let mut app = server.app();
    app.log_in("ann").await;
    let mut before = app.clone();
    let answer = app.post("/auth/signout").await;
    assert_eq!((answer.status, answer.json()), (200, ok), "{answer:?}");
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
    before
        .refresh()
        .await
        .assert_refused_and_cleared(&json!({}));
}

/// Contract §3 signout without any token: nothing is cleared.
async fn without_a_session_there_is_nothing_to_sign_out_of(framework: Framework) {
    let server = Server::shared(framework);
    for mut client in [server.browser(), server.app()] {
        let answer = client.post("/auth/signout").await;
        answer.assert_refused(401, &json!({}));
    }
}

/// Contract §2 anti-csrf: a sign-out is a POST like others.
async fn a_sign_out_in_cookies_needs_its_anti_csrf_token(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let mut without = Client {
        anti_csrf: None,
        ..browser.clone()
    };
    let refused = without.post("/auth/signout").await;
    refused.assert_refused(401, &json!({ "message": "try refresh token" }));
    browser.get("/").await.assert_text(200, "ann");
}
