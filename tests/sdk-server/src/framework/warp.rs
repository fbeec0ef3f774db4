//! On warp.

use std::sync::Arc;

use bytes::Bytes;
use session_warp::{SessionRejection, SessionRequest};
use tokio::{net::TcpListener, task::JoinSet};
use warp::{
    Filter as _,
    http::{HeaderMap, Method, Response},
    path::FullPath,
};

use super::{LOOPBACK, Running, asked};
use crate::{application::Application, routes, settings::BoxError};

pub(super) async fn serve(application: Arc<Application>) -> Result<Running, BoxError> {
    let listener = TcpListener::bind(LOOPBACK).await?;
    let address = listener.local_addr()?;
    let sessions = application.sessions.clone();
    let no_query = warp::any().map(String::new);
    let routes = warp::any()
        .map(move || Arc::clone(&application))
        .and(session_warp::request())
        .and(warp::method())
        .and(warp::path::full())
        .and(warp::query::raw().or(no_query).unify())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .then(answer);
    let mut server = JoinSet::new();
    server.spawn(session_warp::serve(sessions, routes).incoming(listener));
    Ok(Running::new(address, || drop(server)))
}

async fn answer(
    application: Arc<Application>,
    request: SessionRequest,
    method: Method,
    path: FullPath,
    query: String,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Bytes>, SessionRejection> {
    let headers = headers.iter();
    let asked = asked(
        method.as_str(),
        &format!("{}?{query}", path.as_str()),
        headers.map(|(name, value)| (name.as_str(), value.as_bytes())),
        body,
    );
    routes::answer(&application, &request, &asked).await
}
