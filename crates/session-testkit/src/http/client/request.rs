//! `Request`: one request over one connection.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::net::TcpStream;

use super::{Answer, Browser};
use crate::http::TestApp;

/// One request.
#[derive(Debug)]
#[must_use = "a request is sent by `send`"]
pub struct Request<'a> {
    app: &'a TestApp,
    browser: Option<&'a Browser<'a>>,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl<'a> Request<'a> {
    pub(crate) fn new(app: &'a TestApp, method: Method, path: &str) -> Self {
        Self {
            app,
            browser: None,
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// A request whose answer a browser takes to heart.
    pub(crate) fn of(browser: &'a Browser<'a>, method: Method, path: &str) -> Self {
        Self {
            browser: Some(browser),
            ..Self::new(browser.app(), method, path)
        }
    }

    /// Adds a header line; lines of one name stay lines of their own.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.append(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_bytes(value.as_ref()).unwrap(),
        );
        self
    }

    /// Takes all header lines of a name away.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Adds a cookie, in a `Cookie` line of its own, its value encoded as the server encodes it.
    pub fn cookie(self, name: &str, value: &str) -> Self {
        let line = cookie_pair(name, value);
        self.header("cookie", line)
    }

    /// Adds a bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Makes `body` the body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Makes `body` the body, said to be of this type.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends the request over HTTP/1.1 on a connection of its own.
    pub async fn send(self) -> Answer {
        self.try_send().await.expect("there is no answer")
    }

    /// Sends the request over HTTP/1.1; no answer is no failure.
    ///
    /// # Errors
    ///
    /// What the connection came to.
    pub(crate) async fn try_send(self) -> Result<Answer, hyper::Error> {
        let stream = TcpStream::connect(self.app.address()).await.unwrap();
        let (mut sender, connection) = conn::http1::handshake(TokioIo::new(stream)).await?;
        self.exchange(connection, |request| sender.send_request(request))
            .await
    }

    /// Sends the request over HTTP/2 without a negotiation ("prior knowledge").
    pub async fn send_http2(self) -> Answer {
        let stream = TcpStream::connect(self.app.address()).await.unwrap();
        let (mut sender, connection) =
            conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        self.exchange(connection, |request| sender.send_request(request))
            .await
            .expect("there is no answer")
    }

    /// Sends the request over HTTP/1.1 and returns as soon as the head is there, with the body
    /// still to come.
    pub(crate) async fn open(self) -> (Answer, Incoming) {
        let stream = TcpStream::connect(self.app.address()).await.unwrap();
        let (mut sender, connection) = conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "ends with the stream")]
        drop(tokio::spawn(connection));
        let response = sender.send_request(self.to_http()).await.unwrap();
        let (parts, body) = response.into_parts();
        (self.answer(parts, Bytes::new()), body)
    }

    /// Polls the connection until the answer is complete, and takes what it says to heart.
    async fn exchange<R>(
        self,
        connection: impl Future<Output = Result<(), hyper::Error>>,
        send: impl FnOnce(http::Request<Full<Bytes>>) -> R,
    ) -> Result<Answer, hyper::Error>
    where
        R: Future<Output = Result<http::Response<Incoming>, hyper::Error>>,
    {
        let response = send(self.to_http());
        let answer = async {
            let (parts, body) = response.await?.into_parts();
            Ok::<_, hyper::Error>((parts, body.collect().await?.to_bytes()))
        };
        let mut answer = std::pin::pin!(answer);
        let (parts, body) = tokio::select! {
            answer = &mut answer => answer?,
            ended = connection => {
                ended?;
                answer.await?
            }
        };
        Ok(self.answer(parts, body))
    }

    fn to_http(&self) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = format!("http://{}{}", self.app.address(), self.path)
            .parse()
            .unwrap();
        *request.headers_mut() = self.headers.clone();
        let host = HeaderValue::try_from(self.app.address().to_string()).unwrap();
        request.headers_mut().insert(header::HOST, host);
        request
    }

    fn answer(&self, parts: http::response::Parts, body: Bytes) -> Answer {
        let answer = Answer::new(self.app, parts, body);
        let transcript = self.app.transcript();
        transcript.add(&self.method, &self.path, &answer);
        answer.assert_says_none_of(&self.secrets());
        if let Some(browser) = self.browser {
            browser.absorb(&answer);
        }
        answer
    }

    /// What the request carries that no body may repeat.
    fn secrets(&self) -> Vec<String> {
        let cookies = self.headers.get_all(header::COOKIE).iter();
        let bearers = self.headers.get_all(header::AUTHORIZATION).iter();
        cookies
            .chain(bearers)
            .flat_map(|line| line.as_bytes().split(|byte| b";= ".contains(byte)))
            .filter(|part| part.len() >= 16)
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect()
    }
}

/// A cookie as the server's own encoding of values has it.
pub(crate) fn cookie_pair(name: &str, value: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    format!("{name}={}", utf8_percent_encode(value, KEPT))
}
