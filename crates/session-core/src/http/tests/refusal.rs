//! Status, body and headers of each error (wire §5).

use http::{Response, StatusCode};
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
    let mut response = Refusal::from(theft()).into_response();
    exchange.finish(&mut response);
    assert_eq!(response.status().as_u16(), 418);
    assert_eq!(response.headers()["front-token"], "remove");
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
    let response = refusal.into_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let message = body(&response);
    assert!(
        message["message"]
            .as_str()
            .unwrap()
            .contains(".layer(the layer)")
    );
}
