//! Nested routes, and the built-in routes among the application's own.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use poem::{
    EndpointExt as _, Route, get, handler, http::Method, post, test::TestClient, web::Data,
};
use session_poem::{Session, SessionRejection, VerifyOptions, verify_session};

use crate::{
    client::{Browser, TestApp, request},
    extractors::whoami,
};

#[handler]
fn the_application() -> &'static str {
    "the application"
}

/// Wire case 74: the routes are there beside the application's own, and what is not ours reaches
/// the application.
#[tokio::test]
async fn the_session_routes_are_answered_by_the_layer() {
    let test = TestApp::new().await;
    let app = the_application.with(test.layer());
    let mut ann = test.log_in("ann").await;
    let before = ann.clone();
    let reply = ann.post(&app, "/auth/session/refresh").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "{}"));
    assert_ne!(ann.cookie("sRefreshToken"), before.cookie("sRefreshToken"));

    for (method, path) in [
        (Method::GET, "/auth/session/refresh"),
        (Method::POST, "/Auth/session/refresh"),
        (Method::POST, "/auth/jwt/jwks.json"),
    ] {
        let reply = ann.send(&app, request(method, path)).await;
        assert_eq!(reply.body, "the application", "{path}");
    }
    let reply = ann.get(&app, "/auth/jwt/jwks.json?x=y").await;
    assert!(reply.body.starts_with("{\"keys\":["));

    let reply = ann.post(&app, "/auth/signout").await;
    assert_eq!(reply.body, "{\"status\":\"OK\"}");
    assert_eq!(ann.cookie("sAccessToken"), None);
}

/// The application's own tests: poem's test client reaches the built-in routes, too.
#[tokio::test]
async fn the_frameworks_own_test_client_works() {
    let test = TestApp::new().await;
    let client = TestClient::new(Route::new().at("/whoami", get(whoami)).with(test.layer()));
    let reply = client.get("/auth/jwt/jwks.json").send().await;
    reply.assert_status_is_ok();
    let reply = client.get("/whoami").send().await;
    reply.assert_status(poem::http::StatusCode::UNAUTHORIZED);
}

/// A layer around everything serves nested routes, and only the routes that are there.
#[tokio::test]
async fn the_layer_reaches_every_kind_of_route() {
    let test = TestApp::new().await;
    let guard = verify_session(VerifyOptions::new());
    let inner = Route::new().at("/whoami", get(whoami).with(guard));
    let app = Route::new()
        .nest("/a", Route::new().nest("/b", inner))
        .nest_no_strip("/c", Route::new().at("/c/whoami", get(whoami)))
        .with(test.layer());
    let mut ann = test.log_in("ann").await;
    for path in ["/a/b/whoami", "/c/whoami"] {
        assert_eq!(ann.get(&app, path).await.body, "ann", "{path}");
        let reply = Browser::default().get(&app, path).await;
        reply.assert_refused(401, "unauthorised");
    }
    assert_eq!(Browser::default().get(&app, "/a/b/no").await.status, 404);
}

/// A handler behind a guard does not run when the guard refuses.
#[tokio::test]
async fn a_refused_request_never_reaches_the_handler() {
    #[handler]
    fn count(runs: Data<&Arc<AtomicUsize>>) {
        runs.fetch_add(1, Ordering::SeqCst);
    }
    let test = TestApp::new().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let app = post(count)
        .data(Arc::clone(&runs))
        .with(verify_session(VerifyOptions::new()))
        .with(test.layer());
    let reply = Browser::default().post(&app, "/").await;
    reply.assert_refused(401, "unauthorised");
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert_eq!(test.log_in("ann").await.post(&app, "/").await.status, 200);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// E13: applied twice, the outer layer's exchange is the only one.
#[tokio::test]
async fn a_layer_applied_twice_counts_once() {
    #[handler]
    async fn end(session: Session) -> Result<String, SessionRejection> {
        Ok(session.revoke().await?.to_string())
    }
    let test = TestApp::new().await;
    let inner = Route::new().at("/end", post(end)).with(test.layer());
    let app = Route::new().nest("/api", inner).with(test.layer());
    let reply = test.log_in("ann").await.post(&app, "/api/end").await;
    assert_eq!(reply.body, "true");
    assert_eq!(
        (
            reply.times_set("sAccessToken"),
            reply.times_set("sRefreshToken")
        ),
        (1, 1)
    );
    assert!(reply.clears("sAccessToken"));
    assert_eq!(
        reply.header("access-control-expose-headers"),
        Some("front-token")
    );
}

/// A layer for other sessions counts below itself: their users are not mixed up.
#[tokio::test]
async fn a_layer_for_other_sessions_counts_below_itself() {
    let (staff, customers) = (TestApp::new().await, TestApp::new().await);
    let inner = Route::new().at("/whoami", get(whoami)).with(staff.layer());
    let app = Route::new()
        .nest("/staff", inner)
        .at("/whoami", get(whoami))
        .with(customers.layer());
    let (mut admin, mut ann) = (staff.log_in("admin").await, customers.log_in("ann").await);
    assert_eq!(admin.get(&app, "/staff/whoami").await.body, "admin");
    assert_eq!(ann.get(&app, "/whoami").await.body, "ann");
    let reply = ann.get(&app, "/staff/whoami").await;
    reply.assert_refused(401, "try refresh token");
    let reply = admin.get(&app, "/whoami").await;
    reply.assert_refused(401, "try refresh token");
}
