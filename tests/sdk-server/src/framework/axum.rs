//! On axum.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Request, request::Parts},
    response::Response,
};
use bytes::Bytes;
use session_axum::{SessionLayer, SessionRejection, SessionRequest};
use tokio::{net::TcpListener, task::JoinSet};

use super::{LOOPBACK, Running};
use crate::{application::Application, routes, settings::BoxError};

pub(super) async fn serve(application: Arc<Application>) -> Result<Running, BoxError> {
    let listener = TcpListener::bind(LOOPBACK).await?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .fallback(answer)
        .layer(SessionLayer::new(application.sessions.clone()))
        .with_state(application);
    let mut server = JoinSet::new();
    server.spawn(async { axum::serve(listener, app).await });
    Ok(Running::new(address, || drop(server)))
}

async fn answer(
    State(application): State<Arc<Application>>,
    request: SessionRequest,
    head: Parts,
    body: Bytes,
) -> Result<Response, SessionRejection> {
    let asked = Request::from_parts(head, body);
    let answer = routes::answer(&application, &request, &asked).await?;
    Ok(answer.map(Body::from))
}
