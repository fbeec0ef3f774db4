//! When the store is away: stateless routes go on, the others say 503, and nobody loses a session
//! (wire case 52, security F16, G9, G10).

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::{
    TestApp,
    client::{Answer, Mode},
};
use crate::faulty_store::{Fault, Operation};

/// The request failed for a fault of ours: try again later, and keep the tokens.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    answer.assert_status(503).assert_tokens_untouched();
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds > 0);
}

/// Wire case 52: with the store away, what needs no look at it goes on.
pub async fn stateless_routes_go_on_without_the_store(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for fault in [Fault::Unavailable, Fault::Panics] {
        app.store().break_all(fault);
        for path in ["/stateless", "/session", "/optional", "/guard/stateless"] {
            alice.get(path).await.assert_user("alice");
        }
        app.get("/optional").send().await.assert_nobody();
        app.get("/auth/jwt/jwks.json")
            .send()
            .await
            .assert_status(200);
        app.store().repair();
    }
}

/// Wire case 52, REQ-46: with the store away, whatever needs it says so, clears nothing and works
/// again afterwards.
pub async fn what_needs_the_store_says_that_it_is_away(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        for fault in [Fault::Unavailable, Fault::Panics] {
            app.store().break_all(fault);
            for path in [
                "/database",
                "/guard/database",
                "/twice",
                "/nested/stateless",
            ] {
                assert_unavailable(&alice.get(path).await);
            }
            for steps in [
                json!([{ "merge": { "a": 1 } }]),
                json!([{ "information": null }]),
                json!([{ "revoke": null }]),
                json!([{ "revoke-others": null }]),
            ] {
                assert_unavailable(&alice.act(steps).await);
            }
            assert_unavailable(&alice.sign_out().await);
            assert_unavailable(&alice.refresh().await);
            let stranger = app.browser(mode);
            assert_unavailable(&stranger.log_in(json!({ "user": "bob" })).await);
            app.store().repair();
            alice.get("/database").await.assert_user("alice");
        }
        alice.refresh().await.assert_status(200);
    }
}

/// H9: a store that hangs is given up in time; it fails closed where the session
/// has to be looked up and holds up nobody else.
pub async fn a_store_that_hangs_is_given_up(app: &TestApp) {
    // Long enough for a database that does not hang, on a machine that is busy.
    let patience = Duration::from_millis(500);
    let app = app
        .with(|builder| builder.config(|config| config.store_timeout(patience)))
        .await;
    let alice = app.log_in("alice").await;
    app.store().break_with(Operation::Get, Fault::Hangs);
    let hanging = alice.get("/database");
    let going_on = alice.get("/stateless");
    let (hanging, going_on) = tokio::join!(hanging, going_on);
    assert_unavailable(&hanging);
    going_on.assert_user("alice");
    assert_unavailable(&alice.refresh().await);
    app.store().repair();
    alice.get("/database").await.assert_user("alice");
}

/// G9, G10: a revocation that is not confirmed is not reported as done; tried again, it is.
pub async fn an_unconfirmed_revocation_is_not_reported(app: &TestApp) {
    for fault in [Fault::Unavailable, Fault::AnswerLost] {
        for path in ["/auth/signout", "/act"] {
            let alice = app.log_in("alice").await;
            let revoke = async || {
                let request = alice.request(Method::POST, path);
                let steps = json!({ "steps": [{ "revoke": null }] });
                request.json(&steps).send().await
            };
            app.store().break_with(Operation::Revoke, fault);
            assert_unavailable(&revoke().await);
            app.store().repair();
            revoke().await.assert_cookies_cleared();
            assert!(!alice.has_session());
        }
    }
}

/// F8, F16, G10: when the store commits and its answer is lost, the client hears 503 and keeps its
/// tokens; the same token then gets the successor.
pub async fn a_lost_answer_of_the_store_costs_nothing(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        app.store().break_with(Operation::Rotate, Fault::AnswerLost);
        let answer = alice.refresh().await;
        answer.assert_status(503).assert_tokens_untouched();
        app.store().repair();
        alice.refresh().await.assert_status(200);
        app.advance(Duration::from_mins(5));
        alice.refresh().await.assert_status(200);
        alice.get("/database").await.assert_user("alice");
    }
}

/// F16: a store that is away during a refresh is 503, and never "unauthorised" or theft: the
/// client keeps its session.
pub async fn an_outage_during_a_refresh_ends_no_session(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let old = alice.copy();
        alice.refresh().await.assert_status(200);
        for operation in [Operation::Get, Operation::Rotate] {
            for fault in [Fault::Unavailable, Fault::Panics] {
                app.store().break_with(operation, fault);
                let answer = alice.refresh().await;
                answer.assert_status(503).assert_tokens_untouched();
                assert!(answer.header("retry-after").is_some());
                app.store().repair();
            }
        }
        alice.refresh().await.assert_status(200);

        // Theft whose revocation cannot be written is not announced before it is.
        app.advance(Duration::from_mins(5));
        app.store()
            .break_with(Operation::Revoke, Fault::Unavailable);
        let answer = old.refresh().await;
        answer.assert_status(503).assert_tokens_untouched();
        app.store().repair();
        let answer = old.refresh().await;
        answer.assert_message("token theft detected");
        alice.get("/database").await.assert_session_over();
    }
}

/// I6: a node that could not yet hear of revocations asks the database, and refuses where that is
/// away, too.
pub async fn a_deaf_node_asks_the_database(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let bob = app.log_in("bob").await;
    let store = app.store();
    store.break_with(Operation::RevocationsSince, Fault::Unavailable);
    let deaf = app.beside(|builder| builder).await;
    app.revoke(&bob.handle()).await;

    let (alice, bob) = (alice.at(&deaf), bob.at(&deaf));
    let reads = store.calls(Operation::Get);
    alice.get("/blacklist").await.assert_user("alice");
    assert_eq!(store.calls(Operation::Get), reads + 1);
    bob.copy().get("/blacklist").await.assert_session_over();
    bob.get("/stateless").await.assert_user("bob");
    store.break_all(Fault::Unavailable);
    assert_unavailable(&alice.get("/blacklist").await);
    alice.get("/stateless").await.assert_user("alice");
    store.repair();
}
