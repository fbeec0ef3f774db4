//! How long access tokens live.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::time::sleep;

use crate::{
    framework::{Framework, on_every_framework},
    server::Server,
    sessions::WITH_SESSION,
};

on_every_framework! {
    a_token_lives_as_long_as_is_asked_for,
    an_expired_token_is_to_be_refreshed,
}

/// Contract §2 access token validity.
async fn a_token_lives_as_long_as_is_asked_for(framework: Framework) {
    let server = Server::start(framework);
    for seconds in [1, 2, 3, 5, 15, 20, 100, 300, 7200] {
        let core = json!({ "access_token_validity": seconds });
        server.set_up(core, json!({})).await;
        let mut browser = server.browser();
        for answer in [browser.log_in("ann").await, browser.refresh().await] {
            let claims = answer.claims();
            let [issued, expires] = ["iat", "exp"].map(|name| claims[name].as_i64().unwrap());
            assert_eq!(expires - issued, seconds);
        }
    }
}

/// Contract §3 S, expired: nothing is cleared, and the refresh helps.
async fn an_expired_token_is_to_be_refreshed(framework: Framework) {
    let core = json!({ "access_token_validity": 2 });
    let server = Server::with(framework, core, json!({})).await;
    let mut clients = [server.browser(), server.app()];
    let mut expires_at_ms = 0;
    for client in &mut clients {
        let login = client.log_in("ann").await;
        expires_at_ms = login.front_token()["ate"].as_u64().unwrap();
    }
    sleep(until(expires_at_ms)).await;
    for mut client in clients {
        for (method, path) in WITH_SESSION {
            let refused = client.send(client.request(method, path)).await;
            refused.assert_refused(401, &json!({ "message": "try refresh token" }));
        }
        client.refresh().await.assert_text(200, "refresh success");
        client.get("/").await.assert_text(200, "ann");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock is the machine's"
)]
fn until(unix_ms: u64) -> Duration {
    let then = SystemTime::UNIX_EPOCH + Duration::from_millis(unix_ms);
    then.duration_since(SystemTime::now()).unwrap_or_default()
}
