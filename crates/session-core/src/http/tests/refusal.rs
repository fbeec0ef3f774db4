//! Status, body and headers of each error (wire §5).

use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use super::TestApp;
use crate::{
    InvalidId, SessionError, SessionHandle, Stateless, UserId,
    config::TokenTransfer,
    error::{BackendError, ClientTokens, DuplicateCookies},
    http::{Exchange, Refusal},
    store::StoreError,
    token::TokenRejection,
    verify::Policy as _,
};

fn theft() -> SessionError {
    SessionError::TokenTheftDetected {
        user: UserId::try_from("ann").unwrap(),
        handle: SessionHandle::try_from("the-handle").unwrap(),
    }
}

fn body(response: &Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// Wire §5: the table, row by row; a body says no more than the row (E21).
#[tokio::test]
async fn each_error_has_its_status_and_body() {
    let app = TestApp::new().await;
    let exchange = app.get("/").exchange();
    let unavailable = SessionError::Unavailable(BackendError::Store(StoreError::Corrupt("row")));
    let table = [
        (
            SessionError::TryRefreshToken(TokenRejection::Expired),
            401,
            json!({ "message": "try refresh token" }),
        ),
        (
            SessionError::Unauthorised(ClientTokens::Keep),
            401,
            json!({ "message": "unauthorised" }),
        ),
        (
            SessionError::Unauthorised(ClientTokens::Clear),
            401,
            json!({ "message": "unauthorised" }),
        ),
        (theft(), 401, json!({ "message": "token theft detected" })),
        (
            SessionError::InvalidClaims(Vec::new()),
            403,
            json!({ "message": "invalid claim", "claimValidationErrors": [] }),
        ),
        (
            unavailable,
            503,
            json!({ "message": "the session backend did not answer" }),
        ),
    ];
    for (error, status, expected) in table {
        let response = exchange.refuse(&error);
        assert_eq!(
            (response.status().as_u16(), body(&response)),
            (status, expected)
        );
        assert_eq!(
            response.headers()["content-type"],
            "application/json; charset=utf-8"
        );
        assert_eq!(response.headers()["cache-control"], "no-store");
        let retry_after = response.headers().get("retry-after");
        assert_eq!(retry_after.is_some(), status == 503);
    }
    for (error, status) in [
        (
            SessionError::DuplicateCookies(DuplicateCookies::Cleared),
            200,
        ),
        (
            SessionError::DuplicateCookies(DuplicateCookies::Unresolved),
            500,
        ),
        (SessionError::InvalidId(InvalidId::Empty), 400),
        (SessionError::ResponseStarted, 500),
        (
            SessionError::MissingLayer {
                line: ".layer(…)"
            },
            500,
        ),
    ] {
        let response = exchange.refuse(&error);
        assert_eq!(response.status().as_u16(), status, "{error}");
        assert!(body(&response)["message"].is_string(), "{error}");
    }
}

/// E21: a body does not tell a revoked session from one that never was, nor why a token is refused.
#[tokio::test]
async fn a_body_names_no_cause() {
    let app = TestApp::new().await;
    let exchange = app.get("/").exchange();
    for rejection in [
        TokenRejection::Expired,
        TokenRejection::BadSignature,
        TokenRejection::UnknownKey,
        TokenRejection::AntiCsrf,
    ] {
        let response = exchange.refuse(&SessionError::TryRefreshToken(rejection));
        assert_eq!(body(&response), json!({ "message": "try refresh token" }));
    }
    let text = String::from_utf8(exchange.refuse(&theft()).body().to_vec()).unwrap();
    assert!(!text.contains("ann") && !text.contains("the-handle"));
}

/// Wire §0: the statuses of refusals are settings.
#[tokio::test]
async fn configured_statuses_are_used() {
    let app = TestApp::with(|config| {
        config
            .session_expired_status(StatusCode::IM_A_TEAPOT)
            .invalid_claim_status(StatusCode::UNPROCESSABLE_ENTITY)
    })
    .await;
    let exchange = app.get("/").exchange();
    let status = |error: &SessionError| exchange.refuse(error).status().as_u16();
    assert_eq!(status(&SessionError::Unauthorised(ClientTokens::Keep)), 418);
    assert_eq!(status(&SessionError::InvalidClaims(Vec::new())), 422);

    // Also when the error came out of a handler and the exchange is not at hand.
    let refusal = Refusal::from(theft());
    assert_eq!(refusal.status().as_u16(), 401);
    let (head, _) = refusal.to_response().into_parts();
    let changes = exchange.finish_head(&HeaderMap::new(), head.extensions);
    assert_eq!(changes.status().unwrap().as_u16(), 418);
    assert_eq!(changes.headers()["front-token"], "remove");

    let exchange = app.get("/").exchange();
    let mut response = refusal.to_response();
    exchange.finish(&mut response);
    assert_eq!(response.status().as_u16(), 418);
    assert_eq!(response.headers()["front-token"], "remove");
}

/// A refusal that is rendered by reference is the same one, and its status alone changes nothing.
#[tokio::test]
async fn a_refusal_can_be_rendered_by_reference() {
    let app = TestApp::with(|config| config.session_expired_status(StatusCode::IM_A_TEAPOT)).await;
    let exchange = app.get("/").exchange();
    let refusal = exchange.refusal(theft());
    assert_eq!(refusal.status(), StatusCode::IM_A_TEAPOT);
    let (other, mut untouched) = (app.get("/").exchange(), http::HeaderMap::new());
    let _status = other.refusal(theft()).status();
    other.write_effects(&mut untouched);
    assert!(untouched.is_empty());
    let (by_reference, by_value) = (refusal.to_response(), exchange.refuse(&theft()));
    assert_eq!(by_reference.status(), by_value.status());
    assert_eq!(by_reference.headers(), by_value.headers());
    assert_eq!(by_reference.body(), by_value.body());
    let mut cleared = http::HeaderMap::new();
    exchange.write_effects(&mut cleared);
    assert_eq!(cleared["front-token"], "remove");

    let unknown = Refusal::from(theft());
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(unknown.to_response().status(), StatusCode::UNAUTHORIZED);
}

/// What a handler's `?` made without the request is, within its exchange, a refusal like any other.
#[tokio::test]
async fn a_refusal_can_be_put_into_its_exchange() {
    let app = TestApp::with(|config| config.session_expired_status(StatusCode::IM_A_TEAPOT)).await;
    let exchange = app.get("/").exchange();
    let refusal = Refusal::from(theft()).within(&exchange);
    assert_eq!(refusal.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(refusal.to_response().status(), StatusCode::IM_A_TEAPOT);
    let mut cleared = HeaderMap::new();
    exchange.write_effects(&mut cleared);
    assert_eq!(cleared["front-token"], "remove");
}

/// A log of a refusal tells why, and not all that the sessions are made of.
#[tokio::test]
async fn a_debugged_refusal_is_its_error() {
    let app = TestApp::new().await;
    let error = || SessionError::Unauthorised(ClientTokens::Keep);
    let refusal = app.get("/").exchange().refusal(error());
    assert_eq!(format!("{refusal:?}"), format!("Refusal({:?})", error()));
}

/// REQ-40: a bearer client is told about the scheme, and about a token that does not serve; a
/// browser is not.
#[tokio::test]
async fn bearer_clients_get_a_challenge() {
    let app = TestApp::new().await;
    let challenge = |reply: super::Reply| reply.header("www-authenticate").map(str::to_owned);
    let reply = app.get("/").guarded_by(Stateless::options()).await;
    assert_eq!(challenge(reply).as_deref(), Some("Bearer"));
    let reply = app
        .get("/")
        .bearer("xyz")
        .guarded_by(Stateless::options())
        .await;
    assert_eq!(
        challenge(reply).as_deref(),
        Some("Bearer error=\"invalid_token\"")
    );
    let reply = app
        .get("/")
        .header("st-auth-mode", "cookie")
        .guarded_by(Stateless::options())
        .await;
    assert_eq!(challenge(reply), None);
    let reply = app
        .get("/")
        .cookie("theme", "dark")
        .guarded_by(Stateless::options())
        .await;
    assert_eq!(challenge(reply), None);

    let request = app
        .get("/")
        .header("st-auth-mode", "header")
        .cookie("theme", "dark");
    let reply = request.guarded_by(Stateless::options()).await;
    assert_eq!(challenge(reply).as_deref(), Some("Bearer"));

    let cookies = TestApp::with(|config| config.token_transfer(TokenTransfer::Cookie)).await;
    let reply = cookies.get("/").guarded_by(Stateless::options()).await;
    assert_eq!(challenge(reply), None);
}

/// Smell 11: a forgotten layer names the line to add.
#[test]
fn a_missing_layer_names_the_line() {
    let refusal = Exchange::of(&http::Extensions::new(), ".layer(the layer)").unwrap_err();
    let response = refusal.to_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let message = body(&response);
    assert!(
        message["message"]
            .as_str()
            .unwrap()
            .contains(".layer(the layer)")
    );
}
