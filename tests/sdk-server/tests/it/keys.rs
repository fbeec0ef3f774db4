//! Signing keys that are replaced within a test.

use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{
    answer::part_of_token,
    framework::{Framework, on_every_framework},
    server::{PATIENCE, Server},
};

on_every_framework! {
    an_old_key_verifies_when_another_signs,
    a_key_is_due_whether_or_not_the_settings_change,
    an_application_keeps_the_rotation_of_its_keys,
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
    let kids = published(&server).await;
    assert!(kids.contains(&old) && kids.contains(&new), "{kids:?}");
}

/// Contract §2 signing key rotation: the next key comes at its time, however often the settings
/// change until then.
async fn a_key_is_due_whether_or_not_the_settings_change(framework: Framework) {
    let server = Server::start(framework);
    let text = text_for(&server, "0.002").await;
    server.apply(&text, json!({})).await;
    let first = published(&server).await;
    let another_comes = async {
        while published(&server).await == first {
            sleep(Duration::from_secs(1)).await;
            server.apply(&text, json!({})).await;
        }
    };
    let came = timeout(PATIENCE, another_comes).await;
    came.expect("there is no other key");
}

/// Contract §2 signing key rotation: its keys were made for that.
async fn an_application_keeps_the_rotation_of_its_keys(framework: Framework) {
    let server = Server::start(framework);
    let text = text_for(&server, "0.002").await;
    server.apply(&text, json!({})).await;
    let other = json!({ "coreUrl": text_for(&server, "0.003").await });
    let refused = server.post("/test/setup/st", other).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    server.apply(&text, json!({})).await;
}

/// What `/test/setup/app` says of one and the same application.
async fn text_for(server: &Server, interval_in_hours: &str) -> String {
    let core = json!({ "access_token_signing_key_update_interval": interval_in_hours });
    let app = json!({ "appId": "1", "coreConfig": core });
    let text = server.post("/test/setup/app", app).await;
    text.text().to_owned()
}

/// When the keys of the set were made.
async fn published(server: &Server) -> Vec<u64> {
    let set = server.get("/auth/jwt/jwks.json").await.json();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| made(key["kid"].as_str().unwrap())).collect()
}

/// When a key was made, in Unix milliseconds.
fn made(kid: &str) -> u64 {
    kid.strip_prefix("d-").unwrap().parse().unwrap()
}

fn kid(token: &str) -> String {
    part_of_token(token, 0)["kid"].as_str().unwrap().to_owned()
}
