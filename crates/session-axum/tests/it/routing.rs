//! Nested routers, fallbacks, and the built-in routes among the application's own.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    http::Method,
    routing::{get, post},
};
use session_axum::{Session, VerifyOptions, verify_session};

use crate::client::{Browser, TestApp, request};

async fn whoami(session: Session) -> String {
    session.user_id().to_string()
}

/// Wire case 74: the routes are there beside the application's own, and what is not ours reaches
/// the application.
#[tokio::test]
async fn the_session_routes_are_answered_by_the_layer() {
    let test = TestApp::new().await;
    let app = Router::new()
        .fallback(async || "the application")
        .layer(test.layer());
    let mut ann = test.log_in("ann").await;
    let before = ann.clone();
    let reply = ann.post(app.clone(), "/auth/session/refresh").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "{}"));
    assert_ne!(ann.cookie("sRefreshToken"), before.cookie("sRefreshToken"));

    for (method, path) in [
        (Method::GET, "/auth/session/refresh"),
        (Method::POST, "/Auth/session/refresh"),
        (Method::POST, "/auth/jwt/jwks.json"),
    ] {
        let reply = ann.send(app.clone(), request(method, path)).await;
        assert_eq!(reply.body, "the application", "{path}");
    }
    let reply = ann.get(app.clone(), "/auth/jwt/jwks.json?x=y").await;
    assert!(reply.body.starts_with("{\"keys\":["));

    let reply = ann.post(app, "/auth/signout").await;
    assert_eq!(reply.body, "{\"status\":\"OK\"}");
    assert_eq!(ann.cookie("sAccessToken"), None);
}

/// The path that counts is the client's, not what a nested router leaves of it.
#[tokio::test]
async fn the_layer_works_inside_a_nested_router() {
    let test = TestApp::new().await;
    let auth = Router::new()
        .fallback(async || "nested")
        .layer(test.layer());
    let api = Router::new()
        .route("/whoami", get(whoami))
        .layer(test.layer());
    let app = Router::new().nest("/auth", auth).nest("/api", api);
    let mut ann = test.log_in("ann").await;
    assert_eq!(ann.get(app.clone(), "/api/whoami").await.body, "ann");
    let reply = ann.post(app.clone(), "/auth/session/refresh").await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "{}"));
    // Below the prefix the same path is another one.
    let reply = ann.post(app, "/api/auth/session/refresh").await;
    assert_eq!(reply.status, 404);
}

/// A layer around everything serves nested routers, merged ones and fallbacks.
#[tokio::test]
async fn the_layer_reaches_every_kind_of_route() {
    let test = TestApp::new().await;
    let inner = Router::new()
        .route("/whoami", get(whoami))
        .route_layer(verify_session(VerifyOptions::new()));
    let app = Router::new()
        .nest("/a", Router::new().nest("/b", inner))
        .merge(Router::new().route("/merged", get(whoami)))
        .fallback(whoami)
        .layer(test.layer());
    let mut ann = test.log_in("ann").await;
    for path in ["/a/b/whoami", "/merged", "/nowhere"] {
        assert_eq!(ann.get(app.clone(), path).await.body, "ann", "{path}");
        let mut stranger = Browser::default();
        stranger
            .get(app.clone(), path)
            .await
            .assert_refused(401, "unauthorised");
    }
}

/// `route_layer` guards the routes that are there, and leaves unknown paths to the application.
#[tokio::test]
async fn a_guard_does_not_answer_for_unknown_paths() {
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/guarded", get(async || ()))
        .route_layer(verify_session(VerifyOptions::new()))
        .layer(test.layer());
    let mut stranger = Browser::default();
    assert_eq!(stranger.get(app.clone(), "/unknown").await.status, 404);
    assert_eq!(stranger.get(app, "/guarded").await.status, 401);
}

/// A handler behind a guard does not run when the guard refuses.
#[tokio::test]
async fn a_refused_request_never_reaches_the_handler() {
    let test = TestApp::new().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let handler = async move || {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let app = Router::new()
        .route("/", post(handler))
        .route_layer(verify_session(VerifyOptions::new()))
        .layer(test.layer());
    Browser::default()
        .post(app.clone(), "/")
        .await
        .assert_refused(401, "unauthorised");
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert_eq!(test.log_in("ann").await.post(app, "/").await.status, 200);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// E13: applied twice, the outer layer's exchange is the only one.
#[tokio::test]
async fn a_layer_applied_twice_counts_once() {
    let test = TestApp::new().await;
    let inner = Router::new()
        .route(
            "/end",
            post(async |session: Session| session.revoke().await.unwrap().to_string()),
        )
        .layer(test.layer());
    let app = Router::new().nest("/api", inner).layer(test.layer());
    let reply = test.log_in("ann").await.post(app, "/api/end").await;
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
    let inner = Router::new()
        .route("/whoami", get(whoami))
        .layer(staff.layer());
    let app = Router::new()
        .nest("/staff", inner)
        .route("/whoami", get(whoami))
        .layer(customers.layer());
    let (mut admin, mut ann) = (staff.log_in("admin").await, customers.log_in("ann").await);
    let reply = admin.get(app.clone(), "/staff/whoami").await;
    assert_eq!(reply.body, "admin");
    let reply = ann.get(app.clone(), "/whoami").await;
    assert_eq!(reply.body, "ann");
    let reply = ann.get(app.clone(), "/staff/whoami").await;
    reply.assert_refused(401, "try refresh token");
    let reply = admin.get(app, "/whoami").await;
    reply.assert_refused(401, "try refresh token");
}
