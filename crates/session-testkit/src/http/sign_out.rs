//! The sign-out route (wire §5).

use std::time::Duration;

use serde_json::json;

use super::{TestApp, client::Mode};

/// Wire case 60: a sign-out ends the session, clears the tokens of the request's method and
/// tells the front end.
pub async fn a_sign_out_ends_the_session(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let thief = alice.copy();
        let answer = alice.sign_out().await;
        answer.assert_status(200);
        assert_eq!(answer.json(), json!({ "status": "OK" }));
        assert!(answer.removes_front_token());
        match mode {
            Mode::Cookie => {
                answer.assert_cookies_cleared();
                assert_eq!(answer.st_access_token(), None);
            }
            Mode::Header => {
                answer.assert_headers_cleared();
                assert!(answer.set_cookies().is_empty());
            }
        }
        assert!(!alice.has_session());
        thief.copy().get("/database").await.assert_session_over();
        thief.copy().get("/blacklist").await.assert_session_over();
        thief.refresh().await.assert_session_over();
    }
}

/// Wire case 60: without a session there is nothing to sign out of, and nothing to clear.
pub async fn a_sign_out_without_a_session_is_refused(app: &TestApp) {
    let stranger = app.browser(Mode::Cookie);
    stranger.sign_out().await.assert_no_session();
    let request = app.post("/auth/signout").cookie("sAccessToken", "x");
    request.send().await.assert_no_session();
    let alice = app.log_in("alice").await;
    app.advance(Duration::from_hours(1));
    alice.sign_out().await.assert_try_refresh_token();
}

/// Wire case 60, G8: signing out of a session that has ended already is done and not refused.
pub async fn a_sign_out_of_an_ended_session_is_done(app: &TestApp) {
    let alice = app.log_in("alice").await;
    app.revoke(&alice.handle()).await;
    for _ in 0..2 {
        let answer = alice.copy().sign_out().await;
        answer.assert_status(200).assert_cookies_cleared();
        assert_eq!(answer.json(), json!({ "status": "OK" }));
        assert!(answer.removes_front_token());
    }
}

/// G8: a sign-out ends one session and no other, not even of the same user.
pub async fn a_sign_out_ends_no_other_session(app: &TestApp) {
    let (laptop, phone) = (app.log_in("alice").await, app.log_in("alice").await);
    laptop.sign_out().await.assert_status(200);
    phone.get("/database").await.assert_user("alice");
    phone.refresh().await.assert_status(200);
}

/// Wire case 74: the route may have a tenant before it and a slash behind it, and no other method.
pub async fn the_sign_out_route_is_matched_exactly(app: &TestApp) {
    for path in ["/auth/signout/", "/auth/t1/signout", "/auth/signout?x=1"] {
        let alice = app.log_in("alice").await;
        let request = alice.request(http::Method::POST, path);
        request.send().await.assert_status(200);
        assert!(!alice.has_session());
    }
    let alice = app.log_in("alice").await;
    for path in ["/auth/Signout", "/signout", "/auth/signout/x"] {
        let request = alice.request(http::Method::POST, path);
        request.send().await.assert_status(404);
    }
    alice.get("/database").await.assert_user("alice");
}
