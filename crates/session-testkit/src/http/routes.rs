//! What is not ours is the application's.

use http::Method;

use super::{TestApp, client::Mode};

/// Wire §5: what the routes do not name falls through to the application, which does not have it
/// either.
pub async fn what_is_not_ours_is_the_applications(app: &TestApp) {
    for path in [
        "/",
        "/auth",
        "/auth/",
        "/auth/other",
        "/auth/t1/t2/signout",
        "/nothing",
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = app.request(method, path).send().await;
            answer.assert_status(404).assert_tokens_untouched();
        }
    }
    let answer = app.request(Method::DELETE, "/login").send().await;
    assert!(matches!(answer.status(), 404 | 405));
}

/// A route that knows nothing of sessions says nothing about them, whatever the request carries.
pub async fn an_unknown_route_looks_at_no_token(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        app.revoke(&alice.handle()).await;
        let calls = app.store().session_calls();
        let answer = alice.get("/nothing").await;
        answer.assert_status(404).assert_tokens_untouched();
        assert_eq!(app.store().session_calls(), calls);
    }
}
