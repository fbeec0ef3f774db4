//! One request to a node, and its answer.

use std::net::SocketAddr;

use history::Reply;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{AUTHORIZATION, HOST, RETRY_AFTER},
    http::response,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

use crate::PATIENCE;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// An answer of which more is to come.
#[derive(Debug)]
pub struct Opened {
    head: response::Parts,
    body: Incoming,
    /// The line that it comes by.
    _line: JoinSet<()>,
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
    let exchange = async { open(node, method, path, token).await?.rest().await };
    let answer = timeout(PATIENCE, exchange).await;
    answer.unwrap_or_else(|_| panic!("{path} is not answered"))
}

/// Asks likewise, and reads no further than to the end of the head.
pub(crate) async fn open(
    node: SocketAddr,
    method: Method,
    path: &str,
    token: Option<&str>,
) -> Result<Opened, NoAnswer> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, node.to_string())
        .header("st-auth-mode", "header");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let socket = TcpStream::connect(node).await.map_err(|_| NoAnswer)?;
    let handshake = http1::handshake(TokioIo::new(socket)).await;
    let (mut sender, connection) = handshake.map_err(|_| NoAnswer)?;
    let mut line = JoinSet::new();
    // Whoever reads is told when it breaks.
    line.spawn(async move { drop(connection.await) });
    let response = sender.send_request(request).await.map_err(|_| NoAnswer)?;
    let (head, body) = response.into_parts();
    Ok(Opened {
        head,
        body,
        _line: line,
    })
}

impl Opened {
    /// The status.
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// Reads the rest.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`], when less of it comes than was to.
    pub async fn rest(self) -> Result<Answer, NoAnswer> {
        let body = self.body.collect().await.map_err(|_| NoAnswer)?;
        Ok(Answer {
            status: self.head.status,
            headers: self.head.headers,
            body: body.to_bytes(),
        })
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
