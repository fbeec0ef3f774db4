//! What scripts and other services read of the tokens.

use serde_json::{Value, json};

use crate::{
    answer::part_of_token,
    framework::{Framework, on_every_framework},
    server::Server,
};

on_every_framework! {
    scripts_may_read_the_access_token_where_that_is_enabled,
    scripts_may_not_read_it_otherwise,
    the_discovery_document_leads_to_the_keys,
}

/// Contract §2 enableJWT, §1 GET /featureFlags.
async fn scripts_may_read_the_access_token_where_that_is_enabled(framework: Framework) {
    let server = Server::with(framework, json!({}), json!({ "enableJWT": true })).await;
    assert_eq!(flags(&server).await, flags_with(true));
    let mut browser = server.browser();
    let login = browser.log_in("ann").await;
    let token = login.header("st-access-token").unwrap();
    assert_eq!(
        login.exposed(),
        ["front-token", "st-access-token", "anti-csrf"]
    );
    assert!(!login.has("st-refresh-token"));
    assert_eq!(Some(token), browser.access.as_deref());
    let claims = part_of_token(token, 1);
    assert_eq!(claims["customClaim"], "customValue");
    assert_eq!(claims["sub"], "ann");
    let issuer = format!("http://0.0.0.0:{}/auth", server.port());
    assert_eq!(claims["iss"], issuer);

    let refreshed = browser.refresh().await;
    assert!(refreshed.has("st-access-token"));
    assert_eq!(refreshed.claims()["customClaim"], "customValue");

    let update = json!({ "plan": "pro" });
    let updated = browser.post_json("/update-jwt", &update).await;
    let claims = part_of_token(updated.header("st-access-token").unwrap(), 1);
    assert_eq!(claims["plan"], "pro");
    assert!(claims.get("customClaim").is_none());
    let refreshed = browser.refresh().await.claims();
    assert!(refreshed.get("customClaim").is_none());
}

/// Contract §1 GET /featureFlags: as the last setup call says.
async fn scripts_may_not_read_it_otherwise(framework: Framework) {
    let server = Server::start(framework);
    assert_eq!(flags(&server).await, flags_with(false));
    server.set_up(json!({}), json!({ "enableJWT": true })).await;
    server
        .set_up(json!({}), json!({ "enableJWT": false }))
        .await;
    assert_eq!(flags(&server).await, flags_with(false));
    let login = server.browser().log_in("ann").await;
    assert!(!login.has("st-access-token"));
    assert!(login.claims().get("customClaim").is_none());
}

/// Contract §1 GET /auth/.well-known/openid-configuration and /auth/jwt/jwks.json: for pages of any
/// origin.
async fn the_discovery_document_leads_to_the_keys(framework: Framework) {
    let server = Server::start(framework);
    let login = server.app().log_in("ann").await;
    let token = login.header("st-access-token").unwrap();
    let issuer = part_of_token(token, 1)["iss"].clone();

    let discovery = server.get("/auth/.well-known/openid-configuration").await;
    let document = discovery.json();
    assert_eq!(document["issuer"], issuer);
    let base = format!("http://0.0.0.0:{}", server.port());
    let jwks_uri = document["jwks_uri"].as_str().unwrap();
    let jwks = server.get(jwks_uri.strip_prefix(&base).unwrap()).await;
    for answer in [&discovery, &jwks] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let kid = part_of_token(token, 0)["kid"].clone();
    let keys = jwks.json();
    let keys = keys["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == kid).expect("the key");
    for (name, value) in [("kty", "RSA"), ("alg", "RS256"), ("use", "sig")] {
        assert_eq!(key[name], value, "{key}");
    }
    assert!(key["n"].is_string() && key["e"].is_string());
}

async fn flags(server: &Server) -> Value {
    server.get("/featureFlags").await.json()
}

fn flags_with(session_jwt: bool) -> Value {
    json!({
        "sessionJwt": session_jwt,
        "sessionClaims": true,
        "v3AccessToken": true,
        "duplicateCookieHandling": true,
    })
}
