//! Claims: what a route asks of a session's payload (wire §8).

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use session_core::claims::{ArrayClaim as _, ClaimValidator};

use super::{TestApp, application::Role, client::Mode};

/// An application whose users all have these roles.
async fn with_roles(app: &TestApp, roles: &[&str]) -> (TestApp, Role) {
    let role = Role::default();
    role.set(roles);
    let app = app.with(|builder| builder.claim(role.clone())).await;
    (app, role)
}

fn invalid_claim(id: &str, reason: &Value) -> Value {
    json!({
        "message": "invalid claim",
        "claimValidationErrors": [{ "id": id, "reason": reason }],
    })
}

/// Wire case 53: a claim that does not suffice is 403 with the exact body; what was fetched for it
/// is kept, and no tokens travel.
pub async fn a_claim_that_does_not_suffice_is_refused(app: &TestApp) {
    let (app, role) = with_roles(app, &["member"]).await;
    for (mode, path) in [
        (Mode::Cookie, "/guard/admin"),
        (Mode::Header, "/guard/admin"),
        (Mode::Cookie, "/admin"),
    ] {
        role.set(&["member"]);
        let alice = app.log_in_by(mode, "alice").await;
        let answer = alice.get(path).await;
        answer.assert_status(403).assert_tokens_untouched();
        let wrong = |actual: Value| {
            let reason = json!({
                "message": "wrong value",
                "expectedToInclude": "admin",
                "actualValue": actual,
            });
            invalid_claim("st-role", &reason)
        };
        assert_eq!(answer.json(), wrong(json!(["member"])));

        role.set(&["editor"]);
        app.advance(Duration::from_mins(6));
        let answer = alice.get(path).await;
        answer.assert_status(403).assert_tokens_untouched();
        assert_eq!(answer.json(), wrong(json!(["editor"])));
        let stored = app.sessions().information(&alice.handle()).await.unwrap();
        let payload = stored.unwrap().payload().as_map().clone();
        assert_eq!(payload["st-role"]["v"], json!(["editor"]));
        assert_eq!(payload["st-role"]["t"], json!(app.now_s() * 1_000));
    }
}

/// Wire case 54: a claim that was too old and is good travels with the answer.
pub async fn a_refetched_claim_travels_with_the_answer(app: &TestApp) {
    let (app, role) = with_roles(app, &["member"]).await;
    for path in ["/guard/admin", "/admin"] {
        role.set(&["member"]);
        let alice = app.log_in("alice").await;
        role.set(&["admin"]);
        app.advance(Duration::from_mins(6));
        let answer = alice.get(path).await;
        answer.assert_user("alice");
        assert!(answer.access_cookie().is_some());
        assert_eq!(answer.refresh_cookie(), None);
        let front_token = answer.front_token().unwrap();
        assert_eq!(
            front_token.payload()["st-role"],
            json!({ "v": ["admin"], "t": app.now_s() * 1_000 })
        );
        let again = alice.get(path).await;
        again.assert_user("alice").assert_tokens_untouched();
    }
}

/// Wire case 55: a claim that is missing says what was expected and nothing about what is there.
pub async fn a_missing_claim_says_what_was_expected(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let answer = alice.get("/guard/verified").await;
    answer.assert_status(403).assert_tokens_untouched();
    let reason = json!({ "message": "value does not exist", "expectedValue": true });
    assert_eq!(answer.json(), invalid_claim("st-ev", &reason));

    let answer = alice.get("/guard/admin").await;
    let reason = json!({ "message": "value does not exist", "expectedToInclude": "admin" });
    assert_eq!(answer.json(), invalid_claim("st-role", &reason));
}

/// Wire §8: global validators run everywhere unless a route says otherwise.
pub async fn global_validators_run_unless_a_route_says_otherwise(app: &TestApp) {
    let role = Role::default();
    role.set(&["member"]);
    let admin: Arc<dyn ClaimValidator> = Arc::new(Role::includes("admin"));
    let app = app
        .with(|builder| builder.claim(role.clone()).claim_validator(admin))
        .await;
    let alice = app.log_in("alice").await;
    for path in [
        "/session",
        "/stateless",
        "/optional",
        "/guard/default",
        "/guard/optional",
        "/nested/stateless",
    ] {
        let answer = alice.get(path).await;
        answer.assert_status(403).assert_tokens_untouched();
    }
    alice.get("/guard/no-claims").await.assert_user("alice");
    app.get("/optional").send().await.assert_nobody();
}

/// Wire case 61: a sign-out does not ask whether claims would suffice.
pub async fn a_sign_out_ignores_claims(app: &TestApp) {
    let admin: Arc<dyn ClaimValidator> = Arc::new(Role::includes("admin"));
    let app = app.with(|builder| builder.claim_validator(admin)).await;
    let alice = app.log_in("alice").await;
    alice.get("/session").await.assert_status(403);
    let answer = alice.sign_out().await;
    answer.assert_status(200);
    assert_eq!(answer.json(), json!({ "status": "OK" }));
}

/// Wire §7: a claim that a handler sets, removes or fetches travels with the answer and counts
/// from then on.
pub async fn a_handler_sets_removes_and_fetches_claims(app: &TestApp) {
    let (app, role) = with_roles(app, &["member"]).await;
    let alice = app.log_in("alice").await;
    let steps = |steps: Value| alice.act(steps);

    let answer = steps(json!([{ "set-role": ["admin"] }])).await;
    assert_eq!(answer.json()["results"], json!([["admin"]]));
    alice.get("/admin").await.assert_user("alice");

    let answer = steps(json!([{ "remove-role": null }])).await;
    assert_eq!(answer.json()["results"], json!([null]));
    let front_token = answer.front_token().unwrap();
    assert!(!front_token.payload().contains_key("st-role"));
    alice.get("/admin").await.assert_status(403);

    role.set(&["admin"]);
    let answer = steps(json!([{ "fetch-role": null }])).await;
    assert_eq!(answer.json()["results"], json!([["admin"]]));
    let answer = alice.get("/admin").await;
    answer.assert_user("alice").assert_tokens_untouched();
}

/// A claim that nobody can tell is our fault and not the client's: 503, and no tokens are cleared.
pub async fn a_claim_that_cannot_be_fetched_is_our_fault(app: &TestApp) {
    let (app, role) = with_roles(app, &["admin"]).await;
    let alice = app.log_in("alice").await;
    role.fail();
    app.advance(Duration::from_mins(6));
    let answer = alice.get("/admin").await;
    answer.assert_status(503).assert_tokens_untouched();
    assert!(answer.header("retry-after").is_some());
    let login = app.browser(Mode::Cookie);
    let answer = login.log_in(json!({ "user": "bob" })).await;
    answer.assert_status(503).assert_tokens_untouched();
    role.set(&["admin"]);
    alice.get("/admin").await.assert_user("alice");
}
