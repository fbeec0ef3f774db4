//! Verification: what a request without a session, or with one that is over, comes to (wire §6).

use std::time::Duration;

use http::Method;
use session_core::config::Check;

use super::{TestApp, client::Mode};
use crate::faulty_store::Operation;

/// Wire case 44: without a token a route that needs a session refuses, and nothing is cleared.
pub async fn a_request_without_a_token_is_refused(app: &TestApp) {
    for path in PROTECTED {
        app.get(path).send().await.assert_no_session();
        app.post(path).send().await.assert_no_session();
    }
}

/// Wire case 45: without a token an optional route goes on without a session.
pub async fn an_optional_route_goes_on_without_a_token(app: &TestApp) {
    for path in ["/optional", "/guard/optional"] {
        let answer = app.get(path).send().await;
        answer.assert_nobody().assert_tokens_untouched();
    }
}

/// Wire case 46, C7: what is no session's token counts as none, and is not cleared.
pub async fn a_malformed_token_is_as_if_it_were_not_there(app: &TestApp) {
    for token in ["", "x", "a.b.c", "null", "undefined", "..", "%%%"] {
        for path in ["/optional", "/guard/optional"] {
            let request = app.get(path).cookie("sAccessToken", token);
            let answer = request.send().await;
            answer.assert_nobody().assert_tokens_untouched();
            let answer = app.get(path).bearer(token).send().await;
            answer.assert_nobody().assert_tokens_untouched();
        }
        for path in PROTECTED {
            let request = app.get(path).cookie("sAccessToken", token);
            request.send().await.assert_no_session();
            app.get(path).bearer(token).send().await.assert_no_session();
        }
    }
}

/// Wire case 47, C7: an expired session is refused even where none is needed, so that the client
/// refreshes.
pub async fn an_expired_session_is_refused_even_where_it_is_optional(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        app.advance(HOUR);
        for path in ["/optional", "/guard/optional", "/stateless"] {
            alice.get(path).await.assert_try_refresh_token();
        }
        alice.refresh().await.assert_status(200);
        alice.get("/optional").await.assert_user("alice");
    }
}

/// Wire case 14, B2: a token is good until the moment that it names, without leeway and without a
/// look at the store.
pub async fn a_token_expires_on_the_second(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let calls = app.store().session_calls();

    app.advance(Duration::from_millis(3_599_999));
    alice.get("/stateless").await.assert_user("alice");
    app.advance(Duration::from_millis(1));
    alice.get("/stateless").await.assert_try_refresh_token();
    app.advance(Duration::from_secs(1));
    alice.get("/stateless").await.assert_try_refresh_token();
    assert_eq!(app.store().session_calls(), calls);
}

/// Wire case 48: a route that asks the database refuses a revoked session at once; a stateless one
/// lets it pass until its token expires.
pub async fn a_revoked_session_is_refused_where_the_database_is_asked(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        app.revoke(&alice.handle()).await;

        for path in ["/stateless", "/guard/stateless", "/session"] {
            let answer = alice.get(path).await;
            answer.assert_user("alice").assert_tokens_untouched();
        }
        for path in [
            "/database",
            "/guard/database",
            "/twice",
            "/nested/stateless",
        ] {
            alice.copy().get(path).await.assert_session_over();
        }
    }
}

/// Wire case 48 (with the blacklist in the place of the database): refused without a look at the
/// store.
pub async fn a_revoked_session_is_refused_where_the_blacklist_is_asked(app: &TestApp) {
    let alice = app.log_in("alice").await;
    app.revoke(&alice.handle()).await;
    let calls = app.store().session_calls();

    for path in ["/blacklist", "/guard/blacklist", "/stream"] {
        alice.copy().get(path).await.assert_session_over();
    }
    alice.get("/stateless").await.assert_user("alice");
    assert_eq!(app.store().session_calls(), calls);
}

/// G12: `Session` without a parameter follows the configuration; what a route says itself wins.
pub async fn the_default_check_is_the_configured_one(app: &TestApp) {
    for (check, status) in [
        (Check::Stateless, 200),
        (Check::Blacklist, 401),
        (Check::Database, 401),
    ] {
        let app = app
            .with(|builder| builder.config(|config| config.default_check(check)))
            .await;
        let alice = app.log_in("alice").await;
        app.revoke(&alice.handle()).await;
        for path in ["/session", "/guard/default"] {
            alice.copy().get(path).await.assert_status(status);
        }
        for path in ["/stateless", "/guard/stateless", "/optional"] {
            alice.copy().get(path).await.assert_user("alice");
        }
        for path in ["/blacklist", "/database", "/nested/stateless"] {
            alice.copy().get(path).await.assert_session_over();
        }
    }
}

/// G12: one path may ask for more where it writes.
pub async fn a_route_may_ask_for_more_by_method(app: &TestApp) {
    let alice = app.log_in("alice").await;
    app.revoke(&alice.handle()).await;
    alice.get("/guard/by-method").await.assert_user("alice");
    alice.post("/guard/by-method").await.assert_session_over();
}

/// G12: what has been checked once in a request is not checked again, and more is asked for only
/// where it is missing.
pub async fn checks_of_one_request_add_up(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for path in [
        "/twice",
        "/nested/stateless",
        "/nested/database",
        "/database",
    ] {
        let calls = app.store().calls(Operation::Get);
        alice.get(path).await.assert_user("alice");
        assert_eq!(app.store().calls(Operation::Get), calls + 1, "{path}");
    }
}

/// Wire case 51: a preflight reaches its handler, without a session.
pub async fn a_preflight_reaches_its_handler(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for path in ["/guard/default", "/guard/database", "/guard/admin"] {
        let bare = app.request(Method::OPTIONS, path).send().await;
        bare.assert_nobody().assert_tokens_untouched();
        let carrying = alice.request(Method::OPTIONS, path).send().await;
        carrying.assert_nobody().assert_tokens_untouched();
    }
}

/// A route may ask for a token that lasts: one that expires too soon has to be refreshed first.
pub async fn a_route_may_ask_for_a_token_that_lasts(app: &TestApp) {
    let alice = app.log_in("alice").await;
    app.advance(Duration::from_mins(50));
    alice.get("/guard/lasting").await.assert_user("alice");
    app.advance(Duration::from_secs(1));
    alice.get("/guard/lasting").await.assert_try_refresh_token();
    alice.get("/stateless").await.assert_user("alice");
    alice.refresh().await.assert_status(200);
    alice.get("/guard/lasting").await.assert_user("alice");
}

/// A handler that is told of a refusal has the last word: its answer stands, and the client's
/// tokens stay.
pub async fn a_handler_may_answer_for_itself(app: &TestApp) {
    let alice = app.log_in("alice").await;
    alice.get("/value").await.assert_user("alice");
    app.revoke(&alice.handle()).await;
    let answer = alice.get("/value").await;
    answer.assert_status(200).assert_tokens_untouched();
    assert_eq!(answer.json()["refused"], true);
}

const HOUR: Duration = Duration::from_hours(1);

const PROTECTED: [&str; 7] = [
    "/session",
    "/stateless",
    "/blacklist",
    "/database",
    "/guard/default",
    "/guard/database",
    "/guard/anti-csrf",
];
