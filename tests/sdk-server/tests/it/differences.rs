//! The rows on which we differ from the reference on purpose. README.md has the reasons.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::{
    client::Client,
    framework::{Framework, on_every_framework},
    server::Server,
};

on_every_framework! {
    the_first_use_after_a_refresh_brings_no_tokens,
    a_text_that_is_no_token_is_no_token_at_all,
    a_token_of_version_two_is_no_token_at_all,
    a_session_as_of_old_has_an_issuer_from_its_refresh_on,
    a_sign_out_of_a_revoked_session_is_granted,
    a_used_refresh_token_gets_the_newest_for_a_while,
    a_refresh_token_whose_while_is_over_is_a_theft,
}

/// Contract §3 first verified use after a refresh: the refresh itself was the rotation.
async fn the_first_use_after_a_refresh_brings_no_tokens(framework: Framework) {
    let server = Server::shared(framework);
    for mut client in [server.browser(), server.app()] {
        client.log_in("ann").await;
        let refreshed = client.refresh().await.claims();
        assert_eq!(refreshed["parentRefreshTokenHash1"], json!(null));
        let answer = client.get("/").await;
        answer.assert_text(200, "ann");
        for name in ["front-token", "set-cookie", "st-access-token", "anti-csrf"] {
            assert!(!answer.has(name), "{name}: {answer:?}");
        }
    }
}

/// Contract §3 S, garbage access token, where it has not even the form of one.
async fn a_text_that_is_no_token_is_no_token_at_all(framework: Framework) {
    let server = Server::shared(framework);
    for client in [server.browser(), server.app()] {
        for garbage in ["garbage", "a.b.c"] {
            let mut client = Client {
                access: Some(garbage.to_owned()),
                ..client.clone()
            };
            client.get("/").await.assert_refused(401, &json!({}));
        }
    }
}

/// Contract §1 POST /login-2.18, §2 access-token versions: the client refreshes, as it does after
/// every 401.
async fn a_token_of_version_two_is_no_token_at_all(framework: Framework) {
    let server = Server::shared(framework);
    let mut app = server.app();
    let login = json!({ "userId": "ann", "payload": {} });
    app.post_json("/login-2.18", &login).await;
    app.get("/").await.assert_refused(401, &json!({}));
}

/// Contract §2 access-token versions.
async fn a_session_as_of_old_has_an_issuer_from_its_refresh_on(framework: Framework) {
    let server = Server::shared(framework);
    let mut app = server.app();
    let login = json!({ "userId": "ann", "payload": {} });
    app.post_json("/login-2.18", &login).await;
    let claims = app.refresh().await.claims();
    let issuer = format!("http://0.0.0.0:{}/auth", server.port());
    assert_eq!(claims["iss"], issuer);
    assert_eq!(claims.as_object().unwrap().len(), 10);
}

/// Contract §3 signout with revoked session.
async fn a_sign_out_of_a_revoked_session_is_granted(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let mut other_tab = browser.clone();
    browser.post("/logout").await.assert_text(200, "success");
    let answer = other_tab.post("/auth/signout").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "status": "OK" }))
    );
    answer.assert_cookies_cleared();
    assert_eq!(answer.header("front-token"), Some("remove"));
}

/// Contract §3 refresh with an already used token.
async fn a_used_refresh_token_gets_the_newest_for_a_while(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let mut other_tab = browser.clone();
    browser.refresh().await.assert_text(200, "refresh success");
    browser.get("/").await.assert_text(200, "ann");
    // The successor is used as well: what the other tab then gets is what replaced that.
    let successor = browser.refresh.clone();
    browser.refresh().await.assert_text(200, "refresh success");
    assert_ne!(browser.refresh, successor);
    other_tab
        .refresh()
        .await
        .assert_text(200, "refresh success");
    assert_eq!(other_tab.refresh, browser.refresh);
    browser.get("/").await.assert_text(200, "ann");
}

/// Contract §3 refresh with an already used token: half of an access token's life later.
async fn a_refresh_token_whose_while_is_over_is_a_theft(framework: Framework) {
    let core = json!({ "access_token_validity": 2 });
    let server = Server::with(framework, core, json!({})).await;
    let mut clients = [server.browser(), server.app()];
    let mut thieves = Vec::new();
    for client in &mut clients {
        client.log_in("ann").await;
        thieves.push(client.clone());
        client.refresh().await.assert_text(200, "refresh success");
    }
    sleep(Duration::from_millis(1_001)).await;
    for (mut client, mut thief) in clients.into_iter().zip(thieves) {
        let answer = thief.refresh().await;
        answer.assert_refused_and_cleared(&json!({ "message": "token theft detected" }));
        let answer = client.refresh().await;
        answer.assert_refused_and_cleared(&json!({}));
    }
}
