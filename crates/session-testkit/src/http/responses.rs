//! What a handler's response and the session's part of it come to together (wire §4.4, security
//! E13, E19, E21).

use std::{collections::BTreeSet, time::Duration};

use http::Method;
use serde_json::{Value, json};

use super::{
    TestApp,
    client::{Answer, Browser, Mode},
};

async fn act(browser: &Browser<'_>, script: Value) -> Answer {
    let request = browser.request(Method::POST, "/act");
    request.json(&script).send().await
}

/// E13: a handler that logs in twice sends one set of cookies, the last one's.
pub async fn two_logins_in_one_handler_send_the_last_ones_tokens(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let browser = app.browser(mode);
        let body = json!({ "logins": [{ "user": "alice" }, { "user": "bob" }] });
        let request = browser.request(Method::POST, "/login").json(&body);
        let answer = request.send().await;
        answer.assert_user("bob");
        assert_eq!(
            answer.set_cookies().len(),
            2 * usize::from(mode == Mode::Cookie)
        );
        let front_token = browser.front_token();
        assert_eq!(front_token.user_id().as_str(), "bob");
        browser.get("/database").await.assert_user("bob");
        browser.refresh().await.assert_status(200);
    }
}

/// E13: a handler that logs in, changes the session and ends it sends nothing but its end.
pub async fn a_revocation_in_the_handler_wins(app: &TestApp) {
    let browser = app.browser(Mode::Cookie);
    let body = json!({
        "logins": [{ "user": "alice" }],
        "steps": [{ "merge": { "a": 1 } }, { "revoke": null }],
    });
    let request = browser.request(Method::POST, "/login").json(&body);
    let answer = request.send().await;
    answer.assert_user("alice").assert_cookies_cleared();
    assert!(answer.removes_front_token());
    assert_eq!(answer.set_cookies().len(), 2);
    assert!(!browser.has_session());
}

/// E13 (wire §7): a handler that ends its session clears the tokens of the method they came by.
pub async fn a_handler_that_revokes_clears_the_requests_tokens(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let answer = alice.copy().act(json!([{ "revoke": null }])).await;
    answer.assert_user("alice").assert_cookies_cleared();
    assert_eq!(answer.json()["results"], json!([true]));
    assert!(answer.removes_front_token());
    assert_eq!(answer.st_access_token(), None);
    let again = alice.copy().act(json!([{ "revoke": null }])).await;
    again.assert_user("alice").assert_cookies_cleared();
    assert_eq!(again.json()["results"], json!([false]));
    alice.get("/database").await.assert_session_over();

    let bob = app.log_in_by(Mode::Header, "bob").await;
    let answer = bob.act(json!([{ "revoke": null }])).await;
    answer.assert_user("bob").assert_headers_cleared();
    assert!(answer.removes_front_token());
    assert!(answer.set_cookies().is_empty());
    assert!(!bob.has_session());
}

/// E13: an answer of any status carries what its handler changed, once.
pub async fn an_error_of_the_handlers_own_carries_the_tokens(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for (number, status) in [201, 302, 404, 418, 500].into_iter().enumerate() {
        let steps = json!([{ "merge": { "n": number } }, { "merge": { "m": number } }]);
        let answer = act(&alice, json!({ "steps": steps, "status": status })).await;
        answer.assert_status(status);
        assert_eq!(answer.set_cookies().len(), 1);
        let front_token = answer.front_token().unwrap();
        assert_eq!(front_token.payload()["n"], json!(number));
        assert_eq!(front_token.payload()["m"], json!(number));
    }
    alice.get("/database").await.assert_tokens_untouched();
}

/// E13: a handler that fails after a change: what was changed is in the database, so it is in the
/// answer's tokens, too.
pub async fn a_failure_after_a_change_keeps_client_and_database_together(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let steps = json!([{ "merge": { "a": 1 } }, { "merge": { "sub": "mallory" } }]);
    let answer = alice.act(steps).await;
    answer.assert_status(400);
    assert_eq!(answer.set_cookies().len(), 1);
    let answer = alice.get("/database").await;
    answer.assert_user("alice").assert_tokens_untouched();
    assert_eq!(answer.json()["payload"], json!({ "a": 1 }));
}

/// E13: an operation that finds its session ended clears the tokens, whatever the handler did
/// before.
pub async fn an_operation_on_an_ended_session_clears_the_tokens(app: &TestApp) {
    for steps in [
        json!([{ "merge": { "a": 1 } }]),
        json!([{ "information": null }]),
        json!([{ "data": {} }]),
        // G16: a new access token for a session that is over.
        json!([{ "regenerate": null }]),
        json!([{ "revoke": null }, { "regenerate": null }]),
    ] {
        let alice = app.log_in("alice").await;
        app.revoke(&alice.handle()).await;
        alice.act(steps).await.assert_session_over();
        assert!(!alice.has_session());
    }
}

/// E13: where the layer is applied twice, what the outer guard and the inner handler change comes to
/// one set of tokens, the latest.
pub async fn a_layer_applied_twice_writes_once(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let update = serde_json::Map::from_iter([("by_handle".to_owned(), json!(1))]);
        let changed = app.sessions().merge_payload(&alice.handle(), update).await;
        assert!(changed.unwrap());
        let request = alice.request(Method::POST, "/nested/act");
        let steps = json!({ "steps": [{ "merge": { "by_handler": 2 } }] });
        let answer = request.json(&steps).send().await;
        answer.assert_user("alice");
        let both = json!({ "by_handle": 1, "by_handler": 2 });
        assert_eq!(answer.json()["payload"], both);
        let claims = super::client::claims(&alice.access_token());
        assert_eq!(claims["by_handler"], 2);
        let front_token = answer.front_token().unwrap();
        assert_eq!(front_token.payload()["by_handler"], 2);
    }
}

/// E13 (wire §4.4): the application's own cookies and exposed headers stay; its ideas about caching
/// do not, where tokens travel.
pub async fn the_applications_own_headers_are_kept(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let headers = json!([
        ["set-cookie", "theme=dark; Path=/"],
        ["set-cookie", "lang=en; Path=/"],
        ["access-control-expose-headers", "x-own, Front-Token"],
        ["cache-control", "public, max-age=60"],
        ["etag", "\"1\""],
    ]);
    let script = json!({ "steps": [{ "merge": { "a": 1 } }], "headers": headers });
    let answer = act(&alice, script).await;
    answer.assert_user("alice");
    let mut names: Vec<&str> = answer
        .set_cookies()
        .iter()
        .map(|cookie| cookie.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["lang", "sAccessToken", "theme"]);
    assert_eq!(answer.exposed(), ["x-own", "front-token"]);
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let headers = json!([["cache-control", "public, max-age=60"]]);
    let answer = act(&alice, json!({ "headers": headers })).await;
    answer.assert_user("alice").assert_tokens_untouched();
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
}

/// E13: a cookie of ours that the application wrote itself is replaced.
pub async fn a_cookie_of_our_name_is_replaced(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let headers = json!([["set-cookie", "sAccessToken=own; Path=/"]]);
    let script = json!({ "steps": [{ "merge": { "a": 1 } }], "headers": headers });
    let answer = act(&alice, script).await;
    assert_eq!(answer.set_cookies().len(), 1);
    assert_ne!(answer.access_cookie().unwrap().value, "own");
    alice.get("/stateless").await.assert_user("alice");
}

/// E19: whatever gives tokens or takes them away must not be kept by any cache, and a conditional
/// request gets no answer out of one.
pub async fn no_cache_keeps_what_carries_tokens(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.browser(mode);
        let login = alice.log_in(json!({ "user": "alice" })).await;
        let old = alice.copy();
        let merge = alice.act(json!([{ "merge": { "a": 1 } }])).await;
        let refresh = alice.refresh().await;
        let conditional = alice
            .request(Method::POST, "/act")
            .header("if-none-match", "*")
            .header("if-modified-since", "Fri, 31 Dec 2027 23:59:59 GMT")
            .json(&json!({ "steps": [{ "merge": { "b": 1 } }] }));
        let conditional = conditional.send().await;
        conditional.assert_user("alice");
        app.advance(Duration::from_mins(1));
        let theft = old.refresh().await;
        let over = alice.copy().get("/database").await;
        let bob = app.log_in_by(mode, "bob").await;
        let sign_out = bob.sign_out().await;
        for answer in [login, merge, refresh, conditional, theft, over, sign_out] {
            assert!(answer.header("front-token").is_some());
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        let plain = app.log_in_by(mode, "carol").await.get("/stateless").await;
        plain.assert_user("carol").assert_tokens_untouched();
    }
}

/// J8: a handler that panics takes nothing with it: neither the server nor the session, nor half
/// of its tokens.
pub async fn a_panic_takes_nothing_with_it(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for steps in [
        json!([{ "panic": null }]),
        json!([{ "merge": { "a": 1 } }, { "panic": null }]),
    ] {
        let request = alice.request(Method::POST, "/act");
        let request = request.json(&json!({ "steps": steps }));
        if let Ok(answer) = request.try_send().await {
            answer.assert_status(500);
            assert_eq!(answer.refresh_token(), None);
        }
        alice.get("/database").await.assert_user("alice");
    }
    alice.refresh().await.assert_status(200);
}

/// E21, K1: the body of a refusal is its contract and nothing more, whatever the cause, so a
/// revoked session cannot be told from one that never was.
pub async fn refusals_say_no_more_than_their_contract(app: &TestApp) {
    let alice = app.log_in_by(Mode::Header, "alice").await;
    let signer = app.signer().await;
    let claims = super::client::claims(&alice.access_token());
    let header = super::client::segment(&alice.access_token(), 0);
    let mut unknown = claims.clone();
    unknown["sessionHandle"] = json!("00000000-0000-4000-8000-000000000000");
    let never_was = signer.sign(&header, &unknown);
    app.revoke(&alice.handle()).await;
    let revoked = app
        .get("/database")
        .bearer(&alice.access_token())
        .send()
        .await;
    let never_was = app.get("/database").bearer(&never_was).send().await;
    assert_eq!(revoked.status(), never_was.status());
    assert_eq!(revoked.text(), never_was.text());
    // Some frameworks keep headers without order; it means nothing (RFC 9110 §5.3).
    let names = |answer: &Answer| {
        let names = answer.headers().keys();
        let names = names.map(|name| name.as_str().to_owned());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&revoked), names(&never_was));

    let bob = app.log_in("bob").await;
    app.advance(Duration::from_hours(1));
    let expired = bob.get("/stateless").await;
    let foreign_key = alice.copy().get("/stateless").await;
    assert_eq!(expired.text(), r#"{"message":"try refresh token"}"#);
    assert_eq!(foreign_key.text(), expired.text());
    assert_eq!(expired.header("cache-control"), Some("no-store"));
}

/// REQ-40: a client that sends its token in a header is challenged, one with cookies is not.
pub async fn a_bearer_client_is_challenged(app: &TestApp) {
    let bare = app.get("/stateless").send().await;
    assert_eq!(bare.header("www-authenticate"), Some("Bearer"));
    let wrong = app.get("/stateless").bearer("x").send().await;
    let challenge = wrong.header("www-authenticate").unwrap();
    assert_eq!(challenge, r#"Bearer error="invalid_token""#);
    let cookie = app.get("/stateless").cookie("sAccessToken", "x");
    assert_eq!(cookie.send().await.header("www-authenticate"), None);
}
