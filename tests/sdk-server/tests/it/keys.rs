//! Signing keys that are replaced within a test.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::{
    answer::part_of_token,
    framework::{Framework, on_every_framework},
    server::Server,
};

on_every_framework! {
    an_old_key_verifies_when_another_signs,
}

/// Contract §2 signing key rotation: hours, as a text. 250 requests, no refresh.
async fn an_old_key_verifies_when_another_signs(framework: Framework) {
    let core = json!({
        "access_token_validity": 100,
        "access_token_signing_key_update_interval": "0.002",
    });
    let server = Server::with(framework, core, json!({})).await;
    let mut browser = server.browser();
    browser.log_in("ann").await;
    sleep(Duration::from_millis(7_200)).await;
    let mut other = server.browser();
    other.log_in("ann").await;
    other.get("/").await.assert_text(200, "ann");
    for _ in 0..250 {
        browser.get("/").await.assert_text(200, "ann");
    }
    assert_eq!(server.count("/refreshAttemptedTime").await, 0);

    let [old, new] = [browser, other].map(|client| made(&kid(&client.access.unwrap())));
    assert!(new > old && (new - old) % 7_200 == 0, "{old} {new}");
    let published = server.get("/auth/jwt/jwks.json").await.json();
    let published = published["keys"].as_array().unwrap();
    let kids: Vec<u64> = published
        .iter()
        .map(|key| made(key["kid"].as_str().unwrap()))
        .collect();
    assert!(kids.contains(&old) && kids.contains(&new), "{kids:?}");
}

/// When a key was made, in Unix milliseconds.
fn made(kid: &str) -> u64 {
    kid.strip_prefix("d-").unwrap().parse().unwrap()
}

fn kid(token: &str) -> String {
    part_of_token(token, 0)["kid"].as_str().unwrap().to_owned()
}
