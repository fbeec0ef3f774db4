//! `stub-core`: answers a SuperTokens SDK as a core would, at once and without a database, so that
//! what is measured is the SDK. It takes every token for that of a session that has not ended: the
//! SDK has verified its signature before it asks.
//!
//! Prints where it listens, and ends when its input does.

use std::{fs, path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse as _,
    routing::{get, post},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use clap::Parser as _;
use peers::{Problem, listening, on_axum};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime;

#[derive(clap::Parser)]
struct Arguments {
    /// The file of the keys that the tokens are signed with
    jwks: PathBuf,
}

fn main() -> Result<(), Problem> {
    let keys: Arc<str> = fs::read_to_string(Arguments::parse().jwks)?.into();
    listening::end_with_input();
    let app = Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .route("/apiversion", get(Json(json!({ "versions": ["5.4"] }))))
        .route("/recipe/session/verify", post(verify))
        .with_state(keys);
    let mut runtime = runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build()?;
    Ok(runtime.block_on(on_axum::serve(app))?)
}

async fn jwks(State(keys): State<Arc<str>>) -> axum::response::Response {
    let json = (CONTENT_TYPE, "application/json");
    ([json], keys.to_string()).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    access_token: String,
}

async fn verify(Json(question): Json<Question>) -> Result<Json<Value>, StatusCode> {
    let claims = claims(&question.access_token).ok_or(StatusCode::BAD_REQUEST)?;
    Ok(Json(json!({
        "status": "OK",
        "session": {
            "handle": claims.get("sessionHandle"),
            "userId": claims.get("sub"),
            "recipeUserId": claims.get("rsub"),
            "tenantId": claims.get("tId"),
            "userDataInJWT": claims,
        },
    })))
}

fn claims(token: &str) -> Option<Value> {
    let segment = token.split('.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(segment).ok()?;
    serde_json::from_slice(&claims).ok()
}
