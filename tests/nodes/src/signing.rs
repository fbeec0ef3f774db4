//! Routes of a node that replace, remove and use its keys.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{delete, get, post},
};
use serde_json::{Map, json};
use session_axum::{
    SessionError, SessionRejection, Sessions,
    session_core::{KeyId, config::AccessKeyKind},
};

use crate::Answer;

pub(crate) fn routes() -> Router<Sessions> {
    Router::new()
        .route("/keys", post(rotate))
        .route("/keys/{id}", delete(remove))
        .route("/for-others", get(token_for_others))
}

/// Both kinds that there are.
async fn rotate(State(sessions): State<Sessions>) -> Result<(), SessionRejection> {
    sessions.rotate_signing_key().await?;
    Ok(sessions.rotate_refresh_key().await?)
}

async fn remove(State(sessions): State<Sessions>, Path(id): Path<String>) -> Answer {
    let id = KeyId::try_from(id).map_err(SessionError::from)?;
    Ok(Json(json!({ "removed": sessions.remove_key(&id).await? })))
}

/// Signed without asking the store.
async fn token_for_others(State(sessions): State<Sessions>) -> Answer {
    let token = sessions
        .create_jwt(Map::new(), Duration::from_hours(1), AccessKeyKind::Dynamic)
        .await?;
    Ok(Json(json!({ "token": token })))
}
