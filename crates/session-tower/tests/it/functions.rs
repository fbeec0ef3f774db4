//! `session`, `optional_session`, `get_session` and `create_session`.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use serde_json::{Map, json};
use session_tower::{
    CheckDatabase, Refusal, SessionError, Stateless, VerifyOptions, get_session, optional_session,
    session,
};
use tower::ServiceBuilder;

use crate::client::{Browser, TestApp, request};

type Answer = Result<Response<Full<Bytes>>, Infallible>;

/// Wire cases 44, 45, 47: a required session is refused where there is none, an optional one is
/// not; one that is revoked is refused by both where the database is asked.
#[tokio::test]
async fn a_function_says_whether_a_session_is_needed() {
    async fn answer(request: Request<Full<Bytes>>) -> Answer {
        let options = VerifyOptions::new().check_database(true);
        let found = match request.uri().path() {
            "/required" => session::<CheckDatabase>(&request).await.map(Some),
            "/optional" => optional_session::<CheckDatabase>(&request).await,
            "/options" => get_session(&request, &options.session_required(false)).await,
            _ => get_session(&request, &options).await,
        };
        Ok(match found {
            Ok(Some(session)) => Response::new(session.user_id().to_string().into()),
            Ok(None) => Response::new("nobody".into()),
            Err(refusal) => refusal.to_response().map(Full::new),
        })
    }
    let test = TestApp::new().await;
    let app = ServiceBuilder::new().layer(test.layer()).service_fn(answer);
    let paths = [
        ("/required", true),
        ("/optional", false),
        ("/options", false),
        ("/", true),
    ];
    let mut ann = test.log_in("ann").await;
    for (path, required) in paths {
        let mut stranger = Browser::default();
        let reply = stranger.send(app.clone(), request(Method::GET, path)).await;
        assert_eq!(reply.status, if required { 401 } else { 200 }, "{path}");
        let reply = ann.send(app.clone(), request(Method::GET, path)).await;
        assert_eq!(reply.body, "ann", "{path}");
    }
    let signed_in = ann.clone();
    ann.send(app.clone(), request(Method::POST, "/auth/signout"))
        .await;
    for (path, _) in paths {
        let mut revoked = signed_in.clone();
        let reply = revoked.send(app.clone(), request(Method::GET, path)).await;
        assert!(
            reply.status == 401 && reply.clears("sAccessToken"),
            "{path}"
        );
    }
}

/// What is left of a request when its body has been read serves as well as the request.
#[tokio::test]
async fn a_head_without_its_body_is_enough() {
    async fn answer(request: Request<Full<Bytes>>) -> Answer {
        let (head, _body) = request.into_parts();
        let session = session::<Stateless>(&head).await.unwrap();
        Ok(Response::new(session.user_id().to_string().into()))
    }
    let test = TestApp::new().await;
    let app = ServiceBuilder::new().layer(test.layer()).service_fn(answer);
    let mut ann = test.log_in("ann").await;
    let reply = ann.send(app, request(Method::GET, "/")).await;
    assert_eq!(reply.body, "ann");
}

/// An error of an operation on a session becomes its response; what was changed before travels
/// with it.
#[tokio::test]
async fn an_error_in_a_handler_becomes_a_refusal() {
    async fn change(request: &Request<Full<Bytes>>) -> Result<(), Refusal> {
        let session = session::<Stateless>(request).await?;
        let update = |name: &str| Map::from_iter([(name.to_owned(), json!(1))]);
        session.merge_payload(update("a")).await?;
        session.merge_payload(update("sub")).await?;
        Ok(())
    }
    async fn answer(request: Request<Full<Bytes>>) -> Answer {
        let refusal = change(&request).await.unwrap_err();
        assert!(matches!(refusal.error(), SessionError::InvalidPayload(_)));
        Ok(refusal.to_response().map(Full::new))
    }
    let test = TestApp::new().await;
    let app = ServiceBuilder::new().layer(test.layer()).service_fn(answer);
    let mut ann = test.log_in("ann").await;
    let reply = ann.send(app, request(Method::GET, "/")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.times_set("sAccessToken")),
        (400, 1)
    );
}

/// A request that has passed no layer is told which line is missing.
#[tokio::test]
async fn a_missing_layer_is_named() {
    let plain = request(Method::GET, "/");
    let refusal = session::<Stateless>(&plain).await.unwrap_err();
    let response = refusal.to_response();
    assert_eq!(response.status(), 500);
    let body = String::from_utf8_lossy(response.body());
    assert!(
        body.contains(".layer(session_tower::SessionLayer::new(sessions))"),
        "{body}"
    );
}
