//! What a session's claims are, and how they are changed.

use http::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::{
    framework::{Framework, on_every_framework},
    server::Server,
};

on_every_framework! {
    a_session_is_told_its_claims,
    an_update_replaces_all_claims_at_once,
    an_update_past_the_session_shows_at_the_next_refresh,
    an_update_has_to_be_an_object,
    a_claim_that_fails_is_named,
}

/// Contract §1 GET /update-jwt.
async fn a_session_is_told_its_claims(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    let claims = browser.log_in("ann").await.claims();
    let answer = browser.get("/update-jwt").await;
    assert_eq!((answer.status, answer.json()), (200, claims), "{answer:?}");
    assert!(!answer.has("front-token"), "{answer:?}");
}

/// Contract §1 POST /update-jwt: the new token travels with the answer, and letters of any script
/// survive.
async fn an_update_replaces_all_claims_at_once(framework: Framework) {
    let server = Server::shared(framework);
    for mut client in [server.browser(), server.app()] {
        client.log_in("ann").await;
        let name = "łukasz 馬 / 马";
        let first = json!({ "name": name, "deep": { "list": [1, null, "ż"] } });
        let answer = client.post_json("/update-jwt", &first).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json(), answer.claims());
        assert_eq!(own(&answer.json()), first);
        assert_eq!(client.get("/update-jwt").await.json(), answer.claims());

        let second = json!({ "plan": "pro" });
        let answer = client.post_json("/update-jwt", &second).await;
        assert_eq!(own(&answer.claims()), second);
        assert_eq!(own(&client.get("/update-jwt").await.json()), second);
        assert_eq!(own(&client.refresh().await.claims()), second);

        let mut form = client.request(Method::POST, "/update-jwt");
        let urlencoded = "application/x-www-form-urlencoded".parse().unwrap();
        form.headers_mut().insert(CONTENT_TYPE, urlencoded);
        *form.body_mut() = "plan=pro+max&name=%C5%BC".into();
        let answer = client.send(form).await;
        let third = json!({ "plan": "pro max", "name": "ż" });
        assert_eq!(own(&answer.claims()), third);

        let none = client.post_json("/update-jwt", &json!({})).await;
        assert_eq!(own(&none.claims()), json!({}));
    }
}

/// Contract §1 POST /update-jwt-with-handle: the answer has no new token and says what was.
async fn an_update_past_the_session_shows_at_the_next_refresh(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let old = json!({ "plan": "free" });
    browser.post_json("/update-jwt", &old).await;
    let new = json!({ "nickname": "Zoë" });
    let answer = browser.post_json("/update-jwt-with-handle", &new).await;
    assert_eq!((answer.status, own(&answer.json())), (200, old.clone()));
    assert!(
        !answer.has("front-token") && !answer.has("set-cookie"),
        "{answer:?}"
    );
    assert_eq!(own(&browser.get("/update-jwt").await.json()), old);
    assert_eq!(own(&browser.refresh().await.claims()), new);
}

/// Contract §1 POST /update-jwt, JSON object: nothing else.
async fn an_update_has_to_be_an_object(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    for path in ["/update-jwt", "/update-jwt-with-handle"] {
        let answer = browser.post_json(path, &json!("pro")).await;
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        assert!(!answer.has("front-token"));
    }
}

/// Contract §1 POST /session-claims-error.
async fn a_claim_that_fails_is_named(framework: Framework) {
    let server = Server::shared(framework);
    for mut client in [server.browser(), server.app()] {
        client.log_in("ann").await;
        let answer = client.post("/session-claims-error").await;
        let reason = json!({ "message": "testReason" });
        let failed = json!({ "id": "test-claim-failing", "reason": reason });
        let expected = json!({ "message": "invalid claim", "claimValidationErrors": [failed] });
        answer.assert_refused(403, &expected);
    }
}

/// The application's claims among all.
fn own(claims: &Value) -> Value {
    const OF_THE_SESSION: [&str; 10] = [
        "antiCsrfToken",
        "exp",
        "iat",
        "iss",
        "parentRefreshTokenHash1",
        "refreshTokenHash1",
        "rsub",
        "sessionHandle",
        "sub",
        "tId",
    ];
    let mut claims = claims.as_object().unwrap().clone();
    for name in OF_THE_SESSION {
        assert!(claims.remove(name).is_some(), "{name}");
    }
    claims.into()
}
