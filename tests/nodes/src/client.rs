//! One request to a node, and its answer.

use std::net::SocketAddr;

use history::Reply;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{AUTHORIZATION, HOST, RETRY_AFTER},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};

use crate::PATIENCE;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// The connection was refused or lost: what was asked for may have happened or not.
#[derive(Debug)]
pub struct NoAnswer;

/// Asks a node, as an app that keeps its tokens in headers.
///
/// # Errors
///
/// [`NoAnswer`].
///
/// # Panics
///
/// When the node neither answers nor hangs up.
pub async fn ask(
    node: SocketAddr,
    method: Method,
    path: &str,
    token: Option<&str>,
) -> Result<Answer, NoAnswer> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, node.to_string())
        .header("st-auth-mode", "header");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let exchange = exchange(node, request.body(Empty::new()).unwrap());
    let answer = timeout(PATIENCE, exchange).await;
    answer.unwrap_or_else(|_| panic!("{path} is not answered"))
}

async fn exchange(node: SocketAddr, request: Request<Empty<Bytes>>) -> Result<Answer, NoAnswer> {
    let socket = TcpStream::connect(node).await.map_err(|_| NoAnswer)?;
    let handshake = http1::handshake(TokioIo::new(socket)).await;
    let (mut sender, connection) = handshake.map_err(|_| NoAnswer)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|_| NoAnswer)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| NoAnswer)?.to_bytes();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    };
    tokio::pin!(exchange);
    tokio::select! {
        done = &mut exchange => done,
        _ = connection => exchange.await,
    }
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body, or `null`.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What a client makes of it.
    pub fn reply(&self) -> Reply {
        let message = self.json();
        let message = message.get("message").and_then(Value::as_str);
        match (self.status(), message.unwrap_or_default()) {
            (200, _) => Reply::Done,
            (401, "try refresh token") => Reply::Stale,
            (401, "unauthorised") => Reply::Gone,
            (401, "token theft detected") => Reply::Theft,
            // The client is told to come again, and keeps what it has.
            (503, _) if self.headers.contains_key(RETRY_AFTER) && !self.touches_tokens() => {
                Reply::Unavailable
            }
            (status, _) => Reply::Status(status),
        }
    }

    fn touches_tokens(&self) -> bool {
        [ACCESS, REFRESH, "front-token", "set-cookie"]
            .iter()
            .any(|name| self.headers.contains_key(*name))
    }
}

/// The header of a new access token.
pub(crate) const ACCESS: &str = "st-access-token";
/// The header of a new refresh token.
pub(crate) const REFRESH: &str = "st-refresh-token";
