//! The layers around gRPC services, as tonic routes to them.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures_util::future::{Ready, ready};
use http::{HeaderValue, Method, Request, Response, header::CONTENT_TYPE};
use session_tower::{Session, VerifyOptions, verify_session};
use tonic::{
    Status,
    body::Body,
    server::NamedService,
    service::{LayerExt as _, Routes},
};
use tower::{Layer as _, Service, ServiceExt as _};

use crate::client::{TestApp, request};

/// What `tonic-build` makes of a service, as far as sessions are concerned.
#[derive(Debug, Clone)]
struct Likes;

impl NamedService for Likes {
    const NAME: &'static str = "example.Likes";
}

impl Service<Request<Body>> for Likes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let request = tonic::Request::from_http(request);
        let session = request.extensions().get::<Session>();
        let user = session.map_or("nobody", |session| session.user_id().as_str());
        ready(Ok(
            Status::already_exists(format!("liked by {user}")).into_http()
        ))
    }
}

fn call() -> Request<Body> {
    let mut call = request(Method::POST, "/example.Likes/Like").map(Body::new);
    let grpc = HeaderValue::from_static("application/grpc");
    call.headers_mut().insert(CONTENT_TYPE, grpc);
    call
}

/// A service behind the guard finds the session among the extensions of its request; a call without
/// one does not reach it. Layers go around one service or around all.
#[tokio::test]
async fn a_grpc_service_finds_its_session() {
    let test = TestApp::new().await;
    let guarded = tower::ServiceBuilder::new()
        .layer(verify_session(VerifyOptions::new().anti_csrf_check(false)))
        .named_layer(Likes);
    let app = test.layer().layer(Routes::new(guarded).prepare());
    let ann = test.log_in("ann").await;
    let answer = app.clone().oneshot(ann.with_cookies(call())).await.unwrap();
    assert_eq!(answer.headers()["grpc-message"], "liked%20by%20ann");
    let refused = app.oneshot(call()).await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(!refused.headers().contains_key("grpc-message"));
}
