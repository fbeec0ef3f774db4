//! Logging in: a new session every time, and the end of whatever was there before (security E18).

use serde_json::json;

use super::{
    TestApp,
    client::{Browser, Mode},
};

/// E18: a login makes a session of its own and ends the one that the browser had, so that one
/// that was planted before does not live on.
pub async fn a_login_ends_the_session_before_it(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let victim = app.log_in_by(mode, "mallory").await;
        let attacker = victim.copy();
        let planted = victim.handle();

        let answer = victim.log_in(json!({ "user": "alice" })).await;
        answer.assert_user("alice");
        assert_ne!(victim.handle(), planted);
        assert_ne!(victim.access_token(), attacker.access_token());
        assert_ne!(victim.refresh_token(), attacker.refresh_token());

        attacker.copy().get("/database").await.assert_session_over();
        attacker.refresh().await.assert_session_over();
        victim.get("/database").await.assert_user("alice");
        victim.refresh().await.assert_status(200);
    }
}

/// E18: nothing that a client sends becomes the handle of its session.
pub async fn a_client_does_not_choose_its_handle(app: &TestApp) {
    let alice = app.browser(Mode::Cookie);
    let wish = json!({ "sessionHandle": "mine", "handle": "mine" });
    let request = alice
        .request(http::Method::POST, "/login?sessionHandle=mine")
        .cookie("sAccessToken", "mine")
        .cookie("sessionHandle", "mine")
        .json(&super::test_app::login_body(
            &json!({ "user": "alice", "payload": wish }),
        ));
    request.send().await.assert_user("alice");
    assert_ne!(alice.handle().as_str(), "mine");
    assert!(alice.handle().as_str().len() >= 32);
}

/// E18: every login makes a handle and tokens that were never seen before.
pub async fn no_two_sessions_share_anything(app: &TestApp) {
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let alice = app.log_in("alice").await;
        for secret in [
            alice.handle().to_string(),
            alice.access_token(),
            alice.refresh_token(),
        ] {
            assert!(seen.insert(secret), "something came twice");
        }
    }
}

/// A session whose token has expired does not keep its user from logging in again.
pub async fn an_expired_session_does_not_keep_anybody_out(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        app.advance(std::time::Duration::from_hours(2));
        let answer = alice.log_in(json!({ "user": "alice" })).await;
        answer.assert_user("alice");
        alice.get("/database").await.assert_user("alice");
    }
    let stranger = app.browser(Mode::Cookie);
    let request = stranger
        .request(http::Method::POST, "/login")
        .cookie("sAccessToken", "a")
        .cookie("sAccessToken", "b")
        .json(&super::test_app::login_body(&json!({ "user": "bob" })));
    request.send().await.assert_user("bob");
}

/// Wire case 65: a session of a tenant says so in its handle and its token, and is ended by handle
/// alone.
pub async fn a_session_belongs_to_its_tenant(app: &TestApp) {
    let alice = app.browser(Mode::Cookie);
    let answer = alice
        .log_in(json!({ "user": "alice", "tenant": "t1" }))
        .await;
    assert_eq!(answer.json()["tenant"], "t1");
    let front_token = alice.front_token();
    assert_eq!(front_token.payload()["tId"], "t1");
    assert!(alice.handle().as_str().ends_with("_t1"));
    refresh_on(&alice, "/auth/t1/session/refresh").await;
    let front_token = alice.front_token();
    assert_eq!(front_token.payload()["tId"], "t1");
    app.revoke(&alice.handle()).await;
    alice.get("/database").await.assert_session_over();
}

async fn refresh_on(browser: &Browser<'_>, path: &str) {
    let request = browser
        .request(http::Method::POST, path)
        .without("cookie")
        .cookie("sRefreshToken", &browser.refresh_token());
    request.send().await.assert_status(200);
}

/// A handler may end all other sessions of its user.
pub async fn a_handler_ends_the_users_other_sessions(app: &TestApp) {
    let (laptop, phone) = (app.log_in("alice").await, app.log_in("alice").await);
    let bob = app.log_in("bob").await;
    let answer = laptop.act(json!([{ "revoke-others": null }])).await;
    answer.assert_user("alice").assert_tokens_untouched();
    assert_eq!(answer.json()["results"], json!([[phone.handle()]]));
    phone.get("/database").await.assert_session_over();
    laptop.get("/database").await.assert_user("alice");
    bob.get("/database").await.assert_user("bob");
}
