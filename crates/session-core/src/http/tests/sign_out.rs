//! Sign-out, public keys and discovery (wire §5).

use std::{sync::Arc, time::SystemTime};

use serde_json::{Map, Value, json};

use super::TestApp;
use crate::{
    AppInfo, MemoryStore, Sessions, Stateless,
    claims::{ClaimFailure, ClaimValidator},
    verify::Policy as _,
};

const SIGN_OUT: &str = "/auth/signout";

/// Wire case 60: the session is over, the request's own method is cleared.
#[tokio::test]
async fn signing_out_ends_the_session_and_clears_its_tokens() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann").await;
    let reply = app
        .post(SIGN_OUT)
        .access_cookie(&ann)
        .routed()
        .await
        .unwrap();
    assert_eq!(
        (reply.status.as_u16(), &reply.body),
        (200, &json!({ "status": "OK" }))
    );
    reply.assert_cookies_cleared();
    assert_eq!(reply.header("front-token"), Some("remove"));
    assert_eq!(reply.header("st-access-token"), None);
    assert_eq!(reply.exposed(), Some("front-token"));

    let bob = app.log_in_by_header("bob").await;
    let reply = app
        .post(SIGN_OUT)
        .bearer(&bob.access)
        .routed()
        .await
        .unwrap();
    assert_eq!(reply.header("st-access-token"), Some(""));
    assert_eq!(reply.header("st-refresh-token"), Some(""));
    assert!(reply.cookies().is_empty());
}

/// Wire case 60: without a session nothing is cleared; a session that is over already is no error.
#[tokio::test]
async fn signing_out_twice_is_no_error() {
    let app = TestApp::new().await;
    let reply = app.post(SIGN_OUT).routed().await.unwrap();
    reply.assert_refused(401, "unauthorised");
    reply.assert_tokens_untouched();

    let ann = app.log_in("ann").await;
    for _ in 0..2 {
        let reply = app
            .post(SIGN_OUT)
            .access_cookie(&ann)
            .routed()
            .await
            .unwrap();
        assert_eq!(reply.status, 200);
        reply.assert_cookies_cleared();
    }
}

/// Wire case 61: claims that do not suffice keep nobody from leaving.
#[tokio::test]
async fn signing_out_ignores_claim_validators() {
    let app = TestApp::new().await;
    let refusing = Sessions::builder(AppInfo::new(
        "https://api.example.com",
        "https://example.com",
    ))
    .store(MemoryStore::default())
    .shared_clock(Arc::clone(&app.clock) as _)
    .claim_validator(Arc::new(Never))
    .build()
    .await
    .unwrap();
    let app = TestApp {
        sessions: refusing,
        clock: Arc::clone(&app.clock),
    };
    let ann = app.log_in("ann").await;
    let reply = app
        .get("/")
        .access_cookie(&ann)
        .guarded_by(Stateless::options())
        .await;
    reply.assert_refused(403, "invalid claim");
    let reply = app
        .post(SIGN_OUT)
        .access_cookie(&ann)
        .routed()
        .await
        .unwrap();
    assert_eq!(reply.status, 200);
}

/// Wire case 62: keys with exactly these members, for any website, with a bounded age.
#[tokio::test]
async fn the_public_keys_are_served() {
    let app = TestApp::new().await;
    let reply = app.get("/auth/jwt/jwks.json").routed().await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let cache = reply.header("cache-control").unwrap();
    let age = cache
        .strip_prefix("max-age=")
        .unwrap()
        .strip_suffix(", must-revalidate")
        .unwrap();
    assert!(age.parse::<u64>().unwrap() >= 1);
    assert_eq!(reply.body.as_object().unwrap().len(), 1);
    let key = reply.body["keys"][0].as_object().unwrap();
    let mut members: Vec<&str> = key.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
}

/// Wire §5: the discovery document names the issuer that is in the tokens.
#[tokio::test]
async fn the_discovery_document_is_served() {
    let app = TestApp::new().await;
    let reply = app
        .get("/auth/.well-known/openid-configuration")
        .routed()
        .await
        .unwrap();
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(reply.body["issuer"], "https://api.example.com/auth");
    assert_eq!(
        reply.body["jwks_uri"],
        "https://api.example.com/auth/jwt/jwks.json"
    );
}

#[derive(Debug)]
struct Never;

impl ClaimValidator for Never {
    fn id(&self) -> &'static str {
        "never"
    }

    fn validate(&self, _: &Map<String, Value>, _: SystemTime) -> Result<(), ClaimFailure> {
        Err(ClaimFailure::because(json!({ "message": "never" })))
    }
}
