//! What users may be called, and what that must not do to a response (security E10, B11).

use serde_json::json;

use super::{TestApp, client::Mode};
use crate::naughty;

/// E10, B11: whatever a user is called, the response has our headers and no others, and the name
/// comes back byte for byte.
pub async fn a_naughty_name_travels_unchanged_and_injects_nothing(app: &TestApp) {
    let plain = app.browser(Mode::Header);
    let plain = plain.log_in(json!({ "user": "alice" })).await;
    let mut expected: Vec<&str> = plain
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    expected.sort_unstable();
    let injections = [
        "a\r\nSet-Cookie: injected=1",
        "a\nfront-token: remove",
        "a\r\n\r\n<html>",
        "a\u{2028}b\u{2029}c\u{85}d",
        "a\tb",
        "; Path=/; Domain=evil.example",
        "\u{1f600}",
        " padded ",
        "\u{1b}[31mred",
    ];
    let names = injections.into_iter().map(str::to_owned);
    for name in names.chain(naughty::strings()) {
        if session_core::UserId::try_from(name.as_str()).is_err() {
            continue;
        }
        let client = app.browser(Mode::Header);
        let payload = json!({ "name": name, "list": [name] });
        let answer = client
            .log_in(json!({ "user": name, "payload": payload }))
            .await;
        answer.assert_user(&name);
        let mut headers: Vec<&str> = answer
            .headers()
            .keys()
            .map(http::HeaderName::as_str)
            .collect();
        headers.sort_unstable();
        assert_eq!(headers, expected, "{name:?}");
        let front_token = client.front_token();
        assert_eq!(front_token.user_id().as_str(), name);
        assert_eq!(front_token.payload()["name"], name.as_str());
    }
    let client = app.log_in_by(Mode::Header, injections[0]).await;
    client.get("/database").await.assert_user(injections[0]);
}

/// B11, H3, H4: a name that no store could keep is refused before one is asked.
pub async fn an_impossible_name_is_refused(app: &TestApp) {
    for login in [
        json!({ "user": "" }),
        json!({ "user": "a\0b" }),
        json!({ "user": "x".repeat(257) }),
        json!({ "user": "x".repeat(1_000_000) }),
        json!({ "user": 7 }),
        json!({ "user": ["alice"] }),
        json!({ "user": null }),
        json!({ "user": "alice", "tenant": "" }),
        json!({ "user": "alice", "tenant": "a/b" }),
        json!({ "user": "alice", "tenant": "a_b" }),
        json!({ "user": "alice", "tenant": "x".repeat(65) }),
        json!({}),
    ] {
        let calls = app.store().session_calls();
        let answer = app.browser(Mode::Cookie).log_in(login).await;
        answer.assert_status(400).assert_tokens_untouched();
        assert_eq!(app.store().session_calls(), calls);
    }
    for body in ["", "[]", "{", "\u{feff}{}", "{\"logins\":[]", "null"] {
        let request = app.post("/login").body("application/json", body);
        request.send().await.assert_status(400);
    }
}

/// H2: names that look alike are different users.
pub async fn names_that_look_alike_are_different_users(app: &TestApp) {
    let mut clients = Vec::new();
    for name in naughty::LOOKALIKES {
        clients.push((name, app.log_in_by(Mode::Header, name).await));
    }
    let (name, ended) = &clients[0];
    let user = session_core::UserId::try_from(*name).unwrap();
    let revoked = app.sessions().revoke_all_of_user(&user, None).await;
    assert_eq!(revoked.unwrap(), [ended.handle()]);
    for (name, client) in &clients[1..] {
        client.get("/database").await.assert_user(name);
    }
}
