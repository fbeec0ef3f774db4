//! What an SDK makes of the answers: an app that keeps its tokens by itself, and a browser, driven as
//! the SDKs drive them (wire §11).

use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use serde_json::json;

use super::{
    TestApp,
    client::{Browser, Mode},
};
use crate::faulty_store::{Fault, Operation};

/// Longer than an access token lives.
const AN_HOUR: Duration = Duration::from_hours(1);
const BOTH: [Mode; 2] = [Mode::Header, Mode::Cookie];

/// Wire §11.2: a client that was never told anything refreshes before its first request, learns that
/// there is no session, and does not ask again.
pub async fn a_first_launch_asks_for_a_session_once(app: &TestApp) {
    for mode in BOTH {
        let alice = app.browser(mode);
        let answer = alice.launch().await.unwrap();
        answer.assert_session_over();
        assert!(alice.launch().await.is_none());
        alice.call(Method::GET, "/optional").await.assert_nobody();
        let answer = alice.call(Method::GET, "/stateless").await;
        answer.assert_no_session();

        alice.log_in(json!({ "user": "alice" })).await;
        for path in ["/stateless", "/database"] {
            alice.call(Method::GET, path).await.assert_user("alice");
        }
        assert_eq!(alice.refreshes(), 1);
    }
}

/// Wire §11.4: an expired token is exchanged and the call made again; its caller sees the answer.
pub async fn an_expired_token_is_refreshed_unseen_by_the_caller(app: &TestApp) {
    for mode in BOTH {
        let alice = app.log_in_by(mode, "alice").await;
        for (refreshes, method) in [(1, Method::GET), (2, Method::POST)] {
            app.advance(AN_HOUR);
            for path in ["/stateless", "/database"] {
                let answer = alice.call(method.clone(), path).await;
                answer.assert_user("alice").assert_tokens_untouched();
            }
            assert_eq!(alice.refreshes(), refreshes);
        }
    }
}

/// Wire §11.4: of calls that fail at once, one refreshes and all are made again.
pub async fn calls_at_once_share_one_refresh(app: &TestApp) {
    for mode in BOTH {
        let alice = app.log_in_by(mode, "alice").await;
        app.advance(AN_HOUR);
        let rotations = app.store().calls(Operation::Rotate);
        let calls = (0..10).map(|_| alice.call(Method::POST, "/database"));
        for answer in join_all(calls).await {
            answer.assert_user("alice");
        }
        assert_eq!(alice.refreshes(), 1);
        assert_eq!(app.store().calls(Operation::Rotate), rotations + 1);
    }
}

/// F8: an app that is killed between a refresh and the moment it keeps the answer comes back with the
/// tokens of before, and goes on.
pub async fn an_app_that_was_killed_before_it_kept_an_answer_goes_on(app: &TestApp) {
    for mode in BOTH {
        let lost = app.log_in_by(mode, "alice").await;
        app.advance(AN_HOUR);
        let alice = lost.copy();
        lost.call(Method::GET, "/database").await;

        app.advance(Duration::from_secs(29));
        let answer = alice.call(Method::GET, "/database").await;
        answer.assert_user("alice");
        assert_eq!(alice.refresh_token(), lost.refresh_token());
        app.advance(AN_HOUR);
        let answer = alice.call(Method::GET, "/database").await;
        answer.assert_user("alice");
    }
}

/// F1, F8: later than that the tokens of before might be a thief's; the user logs in again.
pub async fn an_app_that_comes_back_too_late_is_signed_out(app: &TestApp) {
    for mode in BOTH {
        let lost = app.log_in_by(mode, "alice").await;
        app.advance(AN_HOUR);
        let alice = lost.copy();
        lost.call(Method::GET, "/database").await;

        app.advance(Duration::from_secs(30));
        let answer = alice.call(Method::GET, "/database").await;
        answer.assert_message("token theft detected");
        assert_signed_out(&alice).await;
        alice.log_in(json!({ "user": "alice" })).await;
        let answer = alice.call(Method::GET, "/database").await;
        answer.assert_user("alice");
    }
}

/// F8: of the two tokens that an app keeps by itself, the refresh token is the one not to lose. With
/// it and the access token of before, it goes on whenever it comes back.
pub async fn an_app_that_kept_its_refresh_token_first_goes_on(app: &TestApp) {
    let alice = app.log_in_by(Mode::Header, "alice").await;
    let before = alice.copy();
    app.advance(Duration::from_mins(50));
    alice.refresh().await.assert_status(200);

    let halfway = before.with_refresh_token_of(&alice);
    let answer = halfway.call(Method::GET, "/database").await;
    answer.assert_user("alice");
    assert_eq!(halfway.refreshes(), 0, "the access token of before is good");
    app.advance(Duration::from_mins(20));
    let answer = halfway.call(Method::GET, "/database").await;
    answer.assert_user("alice");
    assert_eq!(halfway.refreshes(), 1);

    // The other way round, the old refresh token is presented when its window is long over.
    let the_other_way_round = halfway.with_refresh_token_of(&before);
    app.advance(AN_HOUR);
    let answer = the_other_way_round.call(Method::GET, "/database").await;
    answer.assert_message("token theft detected");
}

/// Wire case 60 (§11.6): after a sign-out the app has no token, and a refusal makes it refresh nothing.
pub async fn a_signed_out_app_stays_quiet(app: &TestApp) {
    for mode in BOTH {
        let alice = app.log_in_by(mode, "alice").await;
        alice.sign_out().await.assert_status(200);
        assert_signed_out(&alice).await;
        assert_eq!(alice.refreshes(), 0);
    }
}

/// F1: the thief was there first. The owner's next refresh ends the session for both.
pub async fn a_stolen_token_ends_the_session_of_thief_and_owner(app: &TestApp) {
    for mode in BOTH {
        let alice = app.log_in_by(mode, "alice").await;
        let thief = alice.copy();
        app.advance(Duration::from_mins(10));
        thief.refresh().await.assert_status(200);
        let answer = thief.call(Method::GET, "/database").await;
        answer.assert_user("alice");

        app.advance(Duration::from_mins(50));
        let answer = alice.call(Method::GET, "/stateless").await;
        answer
            .assert_status(401)
            .assert_message("token theft detected");
        assert_signed_out(&alice).await;
        for path in ["/database", "/blacklist"] {
            let answer = thief.copy().call(Method::GET, path).await;
            answer.assert_session_over();
        }
    }
}

/// Wire §11.4: whatever an API refuses, nobody refreshes for ever.
pub async fn a_route_that_always_refuses_is_given_up_after_ten_refreshes(app: &TestApp) {
    // The route asks for a token that is good for ten minutes more.
    let five_minutes = Duration::from_mins(5);
    let app = app
        .with(|builder| builder.config(|config| config.access_token_lifetime(five_minutes)))
        .await;
    for mode in BOTH {
        let alice = app.log_in_by(mode, "alice").await;
        let answer = alice.call(Method::GET, "/guard/lasting").await;
        answer.assert_try_refresh_token();
        assert_eq!(alice.refreshes(), 10);
        let answer = alice.call(Method::GET, "/database").await;
        answer.assert_user("alice");
    }
}

/// F16 (wire §11.4): a refresh that fails for a fault of ours is what the caller sees. The session is
/// kept and goes on.
pub async fn a_refresh_that_fails_is_shown_and_the_session_kept(app: &TestApp) {
    for mode in BOTH {
        let alice = app.log_in_by(mode, "alice").await;
        app.advance(AN_HOUR);
        app.store().break_all(Fault::Unavailable);
        let answer = alice.call(Method::GET, "/stateless").await;
        answer.assert_status(503).assert_tokens_untouched();
        assert!(alice.has_session());
        app.store().repair();
        let answer = alice.call(Method::GET, "/stateless").await;
        answer.assert_user("alice");
        assert_eq!(alice.refreshes(), 2);
    }
}

/// It knows, sends nothing that could be a token, and does not ask again.
async fn assert_signed_out(browser: &Browser<'_>) {
    assert!(!browser.has_session());
    let refreshes = browser.refreshes();
    let answer = browser.call(Method::GET, "/database").await;
    answer.assert_no_session();
    assert_eq!(browser.refreshes(), refreshes);
}
