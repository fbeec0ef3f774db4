//! Two processes side by side, and the addresses at which each is found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Method;
use serde_json::json;

use crate::{
    client::Client,
    framework::{Framework, on_every_framework},
    server::{Server, request},
};

on_every_framework! {
    a_server_is_found_at_addresses_of_both_families,
    two_processes_follow_the_same_calls,
}

/// Contract §1: `[::]` on both stacks, and `0.0.0.0` as the suite writes it.
async fn a_server_is_found_at_addresses_of_both_families(framework: Framework) {
    let server = Server::shared(framework);
    let addresses: [IpAddr; 3] = [
        Ipv6Addr::LOCALHOST.into(),
        Ipv4Addr::LOCALHOST.into(),
        Ipv4Addr::UNSPECIFIED.into(),
    ];
    for address in addresses {
        let answer = server
            .send_to(address, request(Method::GET, "/testing"))
            .await;
        answer.assert_text(200, "success");
    }
}

/// Contract §1 POST /test/setup/st: the second process knows what the first one's text says, and has
/// sessions and counters of its own.
async fn two_processes_follow_the_same_calls(framework: Framework) {
    let (one, other) = (Server::start(framework), Server::start(framework));
    let app = json!({ "appId": "1", "coreConfig": { "access_token_validity": 300 } });
    let text = one.post("/test/setup/app", app).await;
    let st = json!({ "enableAntiCsrf": false, "enableJWT": true });
    for server in [&one, &other] {
        server.apply(text.text(), st.clone()).await;
        let mut browser = server.browser();
        let login = browser.log_in("ann").await;
        let claims = login.claims();
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 300);
        let issuer = format!("http://0.0.0.0:{}/auth", server.port());
        assert_eq!(claims["iss"], issuer);
        assert!(login.has("st-access-token") && !login.has("anti-csrf"));
        browser.get("/").await.assert_text(200, "ann");
        assert_eq!(server.count("/getSessionCalledTime").await, 1);
    }

    let mut ann = one.app();
    ann.log_in("ann").await;
    let mut elsewhere = Client {
        server: &other,
        ..ann.clone()
    };
    assert_eq!(elsewhere.get("/").await.status, 401);
    let refused = elsewhere.refresh().await;
    refused.assert_refused_and_cleared(&json!({}));
    ann.get("/").await.assert_text(200, "ann");
}
