//! What anybody may read: the public keys and the discovery document (wire §5).

use std::time::Duration;

use aws_lc_rs::{rsa::PublicKeyComponents, signature::RSA_PKCS1_2048_8192_SHA256};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::json;
use session_core::http::CORS_REQUEST_HEADERS;

use super::{
    TestApp,
    client::{Answer, segment},
};

const KEYS: &str = "/auth/jwt/jwks.json";

fn max_age_s(answer: &Answer) -> u64 {
    let text = answer.header("cache-control").unwrap();
    let (max_age, rest) = text.split_once(", ").unwrap();
    assert_eq!(rest, "must-revalidate");
    max_age.strip_prefix("max-age=").unwrap().parse().unwrap()
}

/// Wire case 62, D9: the key set has what a verifier needs and nothing of what a signer has.
pub async fn the_keys_are_public_and_nothing_else(app: &TestApp) {
    let answer = app.get(KEYS).send().await;
    answer.assert_status(200).assert_tokens_untouched();
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let document = answer.json();
    let members: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(members, ["keys"]);
    let keys = document["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let mut members: Vec<&str> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
        assert_eq!(key["kty"], "RSA");
        assert_eq!(key["alg"], "RS256");
        assert_eq!(key["use"], "sig");
    }
}

/// Wire case 62 (§1.4): the set may be kept until shortly before the next key is made.
pub async fn the_keys_may_be_kept_until_the_next_one(app: &TestApp) {
    let week_s = 168 * 3_600;
    let fresh = max_age_s(&app.get(KEYS).send().await);
    assert_eq!(fresh, week_s - 60);
    app.advance(Duration::from_hours(100));
    let later = max_age_s(&app.get(KEYS).send().await);
    assert_eq!(later, fresh - 100 * 3_600);
}

/// Wire case 62: a session's token verifies with the key of its name in the set, as any other
/// service would do it.
pub async fn another_service_verifies_with_the_set(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let token = alice.access_token();
    let key_id = &segment(&token, 0)["kid"];
    let document = app.get(KEYS).send().await.json();
    let keys = document["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == *key_id).unwrap();
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let public = PublicKeyComponents {
        n: decode(key["n"].as_str().unwrap()),
        e: decode(key["e"].as_str().unwrap()),
    };
    assert_ne!(public.n[0], 0, "unsigned, without a leading zero");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let verdict = public.verify(
        &RSA_PKCS1_2048_8192_SHA256,
        signed.as_bytes(),
        &decode(signature),
    );
    assert!(verdict.is_ok());
}

/// Wire §5: the discovery document.
pub async fn the_discovery_document_names_the_keys(app: &TestApp) {
    let path = "/auth/.well-known/openid-configuration";
    let answer = app.get(path).send().await;
    answer.assert_status(200).assert_tokens_untouched();
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let issuer = "http://localhost:3000/auth";
    let at = |path: &str| format!("{issuer}{path}");
    assert_eq!(
        answer.json(),
        json!({
            "issuer": issuer,
            "jwks_uri": at("/jwt/jwks.json"),
            "authorization_endpoint": at("/oauth/auth"),
            "token_endpoint": at("/oauth/token"),
            "userinfo_endpoint": at("/oauth/userinfo"),
            "revocation_endpoint": at("/oauth/revoke"),
            "token_introspection_endpoint": at("/oauth/introspect"),
            "end_session_endpoint": at("/oauth/end_session"),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "id_token token"],
        })
    );
}

/// E17 (wire §4.5): only the documents are for every origin; what a CORS layer has to allow is what
/// the browser SDK sends.
pub async fn only_the_documents_are_for_every_origin(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for answer in [
        alice.get("/stateless").await,
        alice.refresh().await,
        alice.act(json!([{ "merge": { "a": 1 } }])).await,
        app.get("/stateless").send().await,
        alice.sign_out().await,
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    assert_eq!(
        CORS_REQUEST_HEADERS.map(|name| name.as_str().to_owned()),
        [
            "rid",
            "fdi-version",
            "anti-csrf",
            "authorization",
            "st-auth-mode"
        ]
    );
}

/// Wire case 74: the documents are read with `GET`, below a tenant, too.
pub async fn the_documents_are_read_with_get(app: &TestApp) {
    for path in ["/auth/jwt/jwks.json/", "/auth/t1/jwt/jwks.json"] {
        app.get(path).send().await.assert_status(200);
    }
    let answer = app.post(KEYS).send().await;
    assert!(matches!(answer.status(), 404 | 405));
    let answer = app.get("/auth/jwt/JWKS.json").send().await;
    answer.assert_status(404);
}
