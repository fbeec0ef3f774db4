//! A client that keeps its tokens, in cookies as a browser or in headers as an app.

use std::{collections::BTreeMap, net::SocketAddr};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};

use crate::server::{PATIENCE, Server};

/// How a client's tokens travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Cookies,
    Headers,
}

/// One device of a user.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    server: SocketAddr,
    transport: Transport,
    access: Option<String>,
    refresh: Option<String>,
    origin: Option<String>,
}

impl Client {
    /// A browser.
    pub(crate) fn browser(server: &Server) -> Self {
        Self::new(server.address(), Transport::Cookies)
    }

    pub(crate) fn new(server: SocketAddr, transport: Transport) -> Self {
        Self {
            server,
            transport,
            access: None,
            refresh: None,
            origin: None,
        }
    }

    /// The same device, on a page from elsewhere.
    pub(crate) fn on_page_from(self, origin: &str) -> Self {
        let origin = Some(origin.to_owned());
        Self { origin, ..self }
    }

    /// The same device, of a server that was started again.
    pub(crate) fn reconnect(&mut self, server: &Server) {
        self.server = server.address();
    }

    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    /// The handle of the session that it makes.
    pub(crate) async fn log_in(&mut self, user: &str, device: &str) -> String {
        let answer = self.try_log_in(user, device).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()["handle"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn try_log_in(
        &mut self,
        user: &str,
        device: &str,
    ) -> Result<Answer, NoAnswer> {
        let body = json!({ "user": user, "device": device });
        self.try_send(Method::POST, "/login", Some(body)).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.try_send(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn post(&mut self, path: &str) -> Answer {
        self.try_send(Method::POST, path, None).await.unwrap()
    }

    pub(crate) async fn post_json(&mut self, path: &str, body: Value) -> Answer {
        self.try_send(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn refresh(&mut self) -> Answer {
        self.try_refresh().await.unwrap()
    }

    pub(crate) async fn try_refresh(&mut self) -> Result<Answer, NoAnswer> {
        self.try_send(Method::POST, REFRESH, None).await
    }

    pub(crate) async fn try_send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, NoAnswer> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            let json = "application/json".parse().unwrap();
            request.headers_mut().insert(CONTENT_TYPE, json);
            *request.body_mut() = body.to_string().into();
        }
        self.exchange(request).await
    }

    /// Sends a request, and keeps the tokens that come with the answer.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, NoAnswer> {
        let answer = timeout(PATIENCE, exchange(self.server, request)).await;
        let answer = answer.expect("the server does not answer")?;
        self.adopt(&answer);
        Ok(answer)
    }

    /// A request with everything that this client sends, and no body.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request<Full<Bytes>> {
        let token = if path == REFRESH {
            &self.refresh
        } else {
            &self.access
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.server.to_string())
            .header("rid", "anti-csrf");
        if let Some(origin) = &self.origin {
            request = request.header(ORIGIN, origin);
        }
        match self.transport {
            Transport::Cookies => {
                let cookies = [
                    ("sAccessToken", &self.access),
                    ("sRefreshToken", &self.refresh),
                ];
                for (name, value) in cookies {
                    // The refresh cookie's path lets it go to one route only.
                    let goes = name == "sAccessToken" || path == REFRESH;
                    if let Some(value) = value.as_ref().filter(|_| goes) {
                        request = request.header(COOKIE, format!("{name}={value}"));
                    }
                }
                request = request.header("st-auth-mode", "cookie");
            }
            Transport::Headers => {
                if let Some(token) = token {
                    request = request.header(AUTHORIZATION, format!("Bearer {token}"));
                }
                request = request.header("st-auth-mode", "header");
            }
        }
        request.body(Full::default()).unwrap()
    }

    fn adopt(&mut self, answer: &Answer) {
        let (access, refresh) = match self.transport {
            Transport::Cookies => {
                let mut set = answer.cookies();
                (set.remove("sAccessToken"), set.remove("sRefreshToken"))
            }
            Transport::Headers => {
                let header = |name| answer.header(name).map(str::to_owned);
                (header("st-access-token"), header("st-refresh-token"))
            }
        };
        for (kept, sent) in [(&mut self.access, access), (&mut self.refresh, refresh)] {
            if let Some(sent) = sent {
                *kept = Some(sent).filter(|sent| !sent.is_empty());
            }
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        let is_json = self.header("content-type").unwrap_or_default();
        assert!(is_json.starts_with("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The cookies that it sets; a cleared one is empty.
    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        let lines = self.headers.get_all(SET_COOKIE).iter();
        let pairs = lines.map(|line| {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        });
        pairs.collect()
    }

    #[track_caller]
    pub(crate) fn assert(&self, status: u16, body: &Value) {
        assert_eq!((self.status.as_u16(), &self.json()), (status, body));
    }

    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, message: &str) {
        assert_eq!((self.status.as_u16(), &*self.message()), (status, message));
    }
}

/// The connection was refused or lost: what was asked for may have happened or not.
#[derive(Debug)]
pub(crate) struct NoAnswer;

async fn exchange(server: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer> {
    let socket = TcpStream::connect(server).await.map_err(|_| NoAnswer)?;
    exchange_over(socket, request, async |response| {
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| NoAnswer)?.to_bytes();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    })
    .await?
}

/// Sends a request and hands the response to `read` while the connection is kept going.
pub(crate) async fn exchange_over<T>(
    socket: TcpStream,
    request: Request<Full<Bytes>>,
    read: impl AsyncFnOnce(Response<Incoming>) -> T,
) -> Result<T, NoAnswer> {
    let handshake = http1::handshake(TokioIo::new(socket)).await;
    let (mut sender, connection) = handshake.map_err(|_| NoAnswer)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|_| NoAnswer)?;
        Ok(read(response).await)
    };
    tokio::pin!(exchange);
    tokio::select! {
        done = &mut exchange => done,
        _ = connection => exchange.await,
    }
}

/// The route that exchanges a refresh token.
pub(crate) const REFRESH: &str = "/auth/session/refresh";
