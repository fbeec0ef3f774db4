//! On axum: an extractor.

use axum::{
    Json, Router,
    extract::FromRequestParts,
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
    response::{IntoResponse as _, Response},
    routing::get,
};

use super::{Claims, Verifier};
use crate::{Problem, answer::Answer, listening};

pub(super) async fn serve(verifier: Verifier) -> Result<(), Problem> {
    let app = Router::new().route("/session", get(user));
    let listener = listening::listen().await?;
    Ok(axum::serve(listener, app.with_state(verifier)).await?)
}

impl FromRequestParts<Verifier> for Claims {
    type Rejection = StatusCode;

    async fn from_request_parts(
        parts: &mut Parts,
        verifier: &Verifier,
    ) -> Result<Self, StatusCode> {
        let authorization = parts.headers.get(AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        verifier
            .verify(authorization)
            .ok_or(StatusCode::UNAUTHORIZED)
    }
}

async fn user(claims: Claims) -> Response {
    Json(Answer::to(&claims.sub)).into_response()
}
