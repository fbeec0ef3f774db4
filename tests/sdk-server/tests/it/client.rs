//! A client that keeps its tokens, in cookies as a browser or by itself, and sends them as the SDK
//! does.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header::AUTHORIZATION, header::COOKIE};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    server::{Server, request, with_json},
};

/// How a client's tokens travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Cookies,
    Headers,
}

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Client<'a> {
    pub(crate) server: &'a Server,
    pub(crate) transport: Transport,
    /// What it says in `st-auth-mode`.
    pub(crate) auth_mode: Option<&'static str>,
    pub(crate) access: Option<String>,
    pub(crate) refresh: Option<String>,
    pub(crate) anti_csrf: Option<String>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(server: &'a Server, transport: Transport) -> Self {
        Self {
            server,
            transport,
            auth_mode: Some(match transport {
                Transport::Cookies => "cookie",
                Transport::Headers => "header",
            }),
            access: None,
            refresh: None,
            anti_csrf: None,
        }
    }

    pub(crate) async fn log_in(&mut self, user: &str) -> Answer {
        let answer = self.post_json("/login", &json!({ "userId": user })).await;
        answer.assert_text(200, user);
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    pub(crate) async fn post_json(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path);
        self.send(with_json(request, body)).await
    }

    pub(crate) async fn refresh(&mut self) -> Answer {
        let mut request = self.request(Method::POST, REFRESH);
        let session = HeaderValue::from_static("session");
        request.headers_mut().insert("rid", session);
        self.send(request).await
    }

    /// Sends a request and keeps what the answer brings.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Answer {
        let answer = self.server.send(request).await;
        self.adopt(&answer);
        answer
    }

    /// A request with everything that this client sends, and no body.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request<Full<Bytes>> {
        let mut request = request(method, path);
        let headers = request.headers_mut();
        headers.insert("rid", HeaderValue::from_static("anti-csrf"));
        if let Some(mode) = self.auth_mode {
            headers.insert("st-auth-mode", HeaderValue::from_static(mode));
        }
        if let Some(token) = &self.anti_csrf {
            headers.insert("anti-csrf", token.parse().unwrap());
        }
        let is_refresh = path == REFRESH;
        match self.transport {
            Transport::Cookies => {
                // The refresh cookie's path lets it go to one route only.
                let cookies = [
                    ("sAccessToken", &self.access),
                    (
                        "sRefreshToken",
                        if is_refresh { &self.refresh } else { &None },
                    ),
                ];
                let pairs =
                    cookies.map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
                let pairs: Vec<String> = pairs.into_iter().flatten().collect();
                if !pairs.is_empty() {
                    headers.insert(COOKIE, pairs.join("; ").parse().unwrap());
                }
            }
            Transport::Headers => {
                let token = if is_refresh {
                    &self.refresh
                } else {
                    &self.access
                };
                if let Some(token) = token {
                    let bearer = format!("Bearer {token}").parse().unwrap();
                    headers.insert(AUTHORIZATION, bearer);
                }
            }
        }
        request
    }

    fn adopt(&mut self, answer: &Answer) {
        let cookies = answer.cookies();
        let sent = |cookie, header| match self.transport {
            Transport::Cookies => cookies.get(cookie).map(|(value, _)| *value),
            Transport::Headers => answer.header(header),
        };
        let (access, refresh) = (
            sent("sAccessToken", "st-access-token"),
            sent("sRefreshToken", "st-refresh-token"),
        );
        for (kept, sent) in [(&mut self.access, access), (&mut self.refresh, refresh)] {
            if let Some(sent) = sent {
                *kept = Some(sent.to_owned()).filter(|sent| !sent.is_empty());
            }
        }
        if let Some(token) = answer.header("anti-csrf") {
            self.anti_csrf = Some(token.to_owned());
        }
    }
}

/// The route that exchanges a refresh token.
pub(crate) const REFRESH: &str = "/auth/session/refresh";
