//! The layers among others, and around services of different kinds.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{Empty, Full};
use serde_json::{Map, json};
use session_tower::{
    CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS, Session, SessionLayer, Stateless, VerifyOptions,
    session, verify_session,
};
use tower::{ServiceBuilder, ServiceExt as _};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, cors::CorsLayer};

use crate::client::{Browser, Reply, TestApp, request};

const ORIGIN: &str = "https://example.com";

type Answer = Result<Response<Full<Bytes>>, Infallible>;

async fn whoami(request: Request<Full<Bytes>>) -> Answer {
    let session = request.extensions().get::<Session>();
    let user = session.map_or("nobody", |session| session.user_id().as_str());
    Ok(Response::new(user.to_owned().into()))
}

async fn long_answer(request: Request<Full<Bytes>>) -> Answer {
    let session = session::<Stateless>(&request).await.unwrap();
    let update = Map::from_iter([("seen".to_owned(), json!(true))]);
    session.merge_payload(update).await.unwrap();
    Ok(Response::new("long ".repeat(1_000).into()))
}

#[expect(clippy::panic, reason = "what the test is about")]
async fn revoke_and_panic(request: Request<Full<Bytes>>) -> Answer {
    let session = session::<Stateless>(&request).await.unwrap();
    session.revoke().await.unwrap();
    panic!("on purpose");
}

/// A service behind the guard finds the session in the request's extensions.
#[tokio::test]
async fn a_guard_leaves_the_session_in_the_extensions() {
    let test = TestApp::new().await;
    let optional = VerifyOptions::new().session_required(false);
    let app = ServiceBuilder::new()
        .layer(test.layer())
        .layer(verify_session(optional))
        .service_fn(whoami);
    let mut ann = test.log_in("ann").await;
    let reply = ann.send(app.clone(), request(Method::GET, "/")).await;
    assert_eq!(reply.body, "ann");
    let mut stranger = Browser::default();
    let reply = stranger.send(app, request(Method::GET, "/")).await;
    assert_eq!(reply.body, "nobody");
}

/// A refused request does not reach the service inside; nor does one for a session route.
#[tokio::test]
async fn what_is_answered_does_not_reach_the_service() {
    let test = TestApp::new().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let app = ServiceBuilder::new()
        .layer(test.layer())
        .layer(verify_session(VerifyOptions::new().check_database(true)))
        .service_fn(move |_: Request<Full<Bytes>>| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) }
        });
    let mut stranger = Browser::default();
    let reply = stranger.send(app.clone(), request(Method::GET, "/")).await;
    assert_eq!(reply.body, "{\"message\":\"unauthorised\"}");
    let mut ann = test.log_in("ann").await;
    let reply = ann
        .send(app.clone(), request(Method::POST, "/auth/session/refresh"))
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.times_set("sRefreshToken")),
        (200, 1)
    );
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    ann.send(app, request(Method::GET, "/")).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// A guard without a layer around it answers with the line that is missing.
#[tokio::test]
async fn a_guard_without_a_layer_names_the_line() {
    let app = verify_session(VerifyOptions::new());
    let app = ServiceBuilder::new().layer(app).service_fn(whoami);
    let reply = Browser::default()
        .send(app, request(Method::GET, "/"))
        .await;
    assert_eq!(reply.status, 500);
    let line = ".layer(session_tower::SessionLayer::new(sessions))";
    assert!(reply.body.contains(line), "{}", reply.body);
}

/// E13: applied twice, the layer writes once; a layer for other sessions counts below itself.
#[tokio::test]
async fn a_layer_may_be_applied_twice() {
    let test = TestApp::new().await;
    let twice = ServiceBuilder::new()
        .layer(test.layer())
        .layer(verify_session(VerifyOptions::new()))
        .layer(test.layer())
        .service_fn(long_answer);
    let mut ann = test.log_in("ann").await;
    let reply = ann.send(twice, request(Method::POST, "/")).await;
    assert_eq!(reply.times_set("sAccessToken"), 1);

    let others = TestApp::new().await;
    let inside = ServiceBuilder::new()
        .layer(test.layer())
        .layer(SessionLayer::new(others.sessions().clone()))
        .layer(verify_session(VerifyOptions::new()))
        .service_fn(whoami);
    let mut bob = others.log_in("bob").await;
    let reply = bob.send(inside.clone(), request(Method::GET, "/")).await;
    assert_eq!(reply.body, "bob");
    assert_eq!(
        ann.send(inside, request(Method::GET, "/")).await.status,
        401
    );
}

/// A panic caught inside the layer still clears the tokens of the session that was revoked; caught
/// outside, the response is the catcher's alone and the service goes on.
#[tokio::test]
async fn a_panic_is_caught_on_either_side() {
    let test = TestApp::new().await;
    let inside = ServiceBuilder::new()
        .layer(test.layer())
        .layer(CatchPanicLayer::new())
        .service_fn(revoke_and_panic);
    let mut ann = test.log_in("ann").await;
    let reply = ann.send(inside, request(Method::POST, "/")).await;
    assert!(reply.status == 500 && reply.clears("sAccessToken"));

    let outside = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(test.layer())
        .service_fn(revoke_and_panic);
    for user in ["bob", "eve"] {
        let mut browser = test.log_in(user).await;
        let reply = browser
            .send(outside.clone(), request(Method::POST, "/"))
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.times_set("sAccessToken")),
            (500, 0)
        );
    }
}

fn compressed(method: Method, path: &str) -> Request<Full<Bytes>> {
    let mut request = request(method, path);
    let gzip = HeaderValue::from_static("gzip");
    request.headers_mut().insert(header::ACCEPT_ENCODING, gzip);
    request
}

fn assert_carries_tokens(reply: &Reply) {
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.times_set("sAccessToken"), 1);
    assert!(reply.header("front-token").is_some());
}

/// Compression on either side changes the body and leaves cookies and headers alone.
#[tokio::test]
async fn compression_may_stand_on_either_side() {
    let test = TestApp::new().await;
    let inside = ServiceBuilder::new()
        .layer(test.layer())
        .layer(CompressionLayer::new())
        .service_fn(long_answer);
    let reply = test
        .log_in("ann")
        .await
        .send(inside, compressed(Method::POST, "/"))
        .await;
    assert_carries_tokens(&reply);
    let outside = ServiceBuilder::new()
        .layer(CompressionLayer::new())
        .layer(test.layer())
        .service_fn(long_answer);
    let mut bob = test.log_in("bob").await;
    let reply = bob
        .send(outside.clone(), compressed(Method::POST, "/"))
        .await;
    assert_carries_tokens(&reply);
    let refresh = compressed(Method::POST, "/auth/session/refresh");
    let reply = bob.send(outside, refresh).await;
    assert_eq!(
        (reply.status.as_u16(), reply.times_set("sRefreshToken")),
        (200, 1)
    );
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin([HeaderValue::from_static(ORIGIN)])
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(CORS_REQUEST_HEADERS)
}

fn cross_origin() -> Request<Full<Bytes>> {
    let mut request = request(Method::POST, "/");
    let origin = HeaderValue::from_static(ORIGIN);
    request.headers_mut().insert(header::ORIGIN, origin);
    request
}

fn times_exposed(reply: &Reply, name: &str) -> usize {
    let lines = reply.headers.get_all(header::ACCESS_CONTROL_EXPOSE_HEADERS);
    let names = lines
        .iter()
        .flat_map(|line| line.to_str().unwrap().split(','));
    names.filter(|listed| listed.trim() == name).count()
}

/// Wire §4.4: whichever side the CORS layer stands on, our headers are exposed once.
#[tokio::test]
async fn a_cors_layer_may_stand_on_either_side() {
    let test = TestApp::new().await;
    let inside = ServiceBuilder::new()
        .layer(test.layer())
        .layer(cors().expose_headers([header::ETAG]))
        .service_fn(long_answer);
    let reply = test.log_in("ann").await.send(inside, cross_origin()).await;
    assert_eq!(times_exposed(&reply, "front-token"), 1);
    assert_eq!(times_exposed(&reply, "etag"), 1);

    let outside = ServiceBuilder::new()
        .layer(cors())
        .layer(test.layer())
        .service_fn(long_answer);
    let reply = test.log_in("bob").await.send(outside, cross_origin()).await;
    assert_eq!(times_exposed(&reply, "front-token"), 1);
    assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN));

    let listing = ServiceBuilder::new()
        .layer(cors().expose_headers(CORS_RESPONSE_HEADERS))
        .layer(test.layer())
        .service_fn(long_answer);
    let reply = test.log_in("eve").await.send(listing, cross_origin()).await;
    assert_eq!(times_exposed(&reply, "front-token"), 1);
}

/// A body that is no byte stream at all passes through: the layer asks nothing of it.
#[tokio::test]
async fn the_service_inside_may_have_any_body() {
    struct Anything;
    let test = TestApp::new().await;
    let app = ServiceBuilder::new()
        .layer(test.layer())
        .service_fn(async |_: Request<Anything>| Ok::<_, Infallible>(Response::new(Anything)));
    let response = app.oneshot(Request::new(Anything)).await.unwrap();
    assert_eq!(response.status(), 200);
}

/// Middleware that was polled ready is the one that is called: a service with room for one request
/// at a time works below the layers.
#[tokio::test]
async fn a_service_with_limited_room_works_below() {
    let test = TestApp::new().await;
    let mut app = ServiceBuilder::new()
        .layer(test.layer())
        .layer(verify_session(VerifyOptions::new().session_required(false)))
        .concurrency_limit(1)
        .service_fn(whoami);
    for _ in 0..3 {
        let answer = app.ready().await.unwrap();
        let answer = tower::Service::call(answer, request(Method::GET, "/"));
        assert_eq!(answer.await.unwrap().status(), 200);
    }
}
