//! Other layers around and below ours.

use axum::{
    Router,
    http::{Request, header},
    middleware::{Next, from_fn},
    response::Response,
    routing::post,
};
use serde_json::{Map, json};
use session_axum::{Session, VerifyOptions, verify_session};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use crate::client::TestApp;

#[expect(clippy::panic, reason = "what the test is about")]
async fn revoke_and_panic(session: Session) {
    session.revoke().await.unwrap();
    panic!("on purpose");
}

async fn long_answer(session: Session) -> String {
    session
        .merge_payload(Map::from_iter([("seen".to_owned(), json!(true))]))
        .await
        .unwrap();
    "long ".repeat(1_000)
}

/// A handler that panics after it revoked: caught inside our layer, the tokens are still cleared.
#[tokio::test]
async fn a_panic_caught_inside_still_clears_the_tokens() {
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/", post(revoke_and_panic))
        .layer(CatchPanicLayer::new())
        .layer(test.layer());
    let reply = test.log_in("ann").await.post(app, "/").await;
    assert_eq!(reply.status, 500);
    assert!(reply.clears("sAccessToken") && reply.times_set("sAccessToken") == 1);
}

/// The same caught outside: the response is the catcher's alone, and the next request is served.
#[tokio::test]
async fn a_panic_caught_outside_leaves_the_layer_usable() {
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/panic", post(revoke_and_panic))
        .route("/", post(long_answer))
        .layer(test.layer())
        .layer(CatchPanicLayer::new());
    let mut ann = test.log_in("ann").await;
    let reply = ann.post(app.clone(), "/panic").await;
    assert_eq!(
        (reply.status.as_u16(), reply.times_set("sAccessToken")),
        (500, 0)
    );
    let mut bob = test.log_in("bob").await;
    assert_eq!(bob.post(app, "/").await.status, 200);
}

/// Compression on either side changes the body and leaves cookies and headers alone.
#[tokio::test]
async fn compression_may_stand_on_either_side() {
    let test = TestApp::new().await;
    let route = || Router::new().route("/", post(long_answer));
    let inside = route().layer(CompressionLayer::new()).layer(test.layer());
    let outside = route().layer(test.layer()).layer(CompressionLayer::new());
    for app in [inside, outside] {
        let mut ann = test.log_in("ann").await;
        let request = Request::post("/").header(header::ACCEPT_ENCODING, "gzip");
        let reply = ann
            .send(
                app.clone(),
                request.body(axum::body::Body::empty()).unwrap(),
            )
            .await;
        assert_eq!(reply.header("content-encoding"), Some("gzip"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.times_set("sAccessToken"), 1);
        assert!(reply.header("front-token").is_some());

        let request =
            Request::post("/auth/session/refresh").header(header::ACCEPT_ENCODING, "gzip");
        let reply = ann
            .send(app, request.body(axum::body::Body::empty()).unwrap())
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.times_set("sRefreshToken")),
            (200, 1)
        );
    }
}

/// E19: a layer below that says how long to store a response does not get its way with tokens.
#[tokio::test]
async fn a_caching_layer_below_does_not_get_tokens_stored() {
    async fn cache(request: axum::extract::Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        let value = "public, max-age=600".parse().unwrap();
        response.headers_mut().insert(header::CACHE_CONTROL, value);
        response
            .headers_mut()
            .insert(header::ETAG, "\"1\"".parse().unwrap());
        response
    }
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/changed", post(long_answer))
        .route("/unchanged", post(async |_: Session| ()))
        .layer(from_fn(cache))
        .layer(test.layer());
    let mut ann = test.log_in("ann").await;
    let reply = ann.post(app.clone(), "/changed").await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let reply = ann.post(app, "/unchanged").await;
    assert_eq!(reply.header("cache-control"), Some("public, max-age=600"));
}

/// A guard inside a guard asks for the rest, and a middleware in between sees the refusal pass.
#[tokio::test]
async fn guards_may_be_nested() {
    async fn mark(request: axum::extract::Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        response
            .headers_mut()
            .insert("x-passed", "yes".parse().unwrap());
        response
    }
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/", post(async |_: Session| ()))
        .route_layer(verify_session(VerifyOptions::new().check_database(true)))
        .layer(from_fn(mark))
        .route_layer(verify_session(VerifyOptions::new().check_database(false)))
        .layer(test.layer());
    let mut ann = test.log_in("ann").await;
    let mut other_tab = ann.clone();
    assert_eq!(ann.post(app.clone(), "/").await.status, 200);
    ann.post(app.clone(), "/auth/signout").await;
    let reply = other_tab.post(app, "/").await;
    reply.assert_refused(401, "unauthorised");
    assert_eq!(reply.header("x-passed"), Some("yes"));
    assert!(reply.clears("sAccessToken"));
}
