//! The framework-neutral half against sessions in memory: a request in, the head of a response out.

mod anti_csrf;
mod create;
mod effects;
mod guard;
mod refresh;
mod refusal;
mod reuse;
mod sign_out;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;

use crate::{
    AppInfo, MemoryStore, NewSession, Session, SessionConfig, Sessions, UserId, VerifyOptions,
    clock::ManualClock,
    config::SessionConfigBuilder,
    http::{Exchange, Refusal},
};

/// Sessions in memory under a clock that the test turns.
pub(super) struct TestApp {
    pub(super) sessions: Sessions,
    pub(super) clock: Arc<ManualClock>,
}

impl TestApp {
    pub(super) async fn new() -> Self {
        Self::with(|config| config).await
    }

    pub(super) async fn with(
        change: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
    ) -> Self {
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        Self::at(app, change).await
    }

    pub(super) async fn at(
        app: AppInfo,
        change: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
    ) -> Self {
        let clock = Arc::new(ManualClock::default());
        let sessions = Sessions::builder(app)
            .store(MemoryStore::default())
            .shared_clock(Arc::clone(&clock) as _)
            .config(change)
            .build()
            .await
            .unwrap();
        Self { sessions, clock }
    }

    pub(super) fn get(&self, path: &str) -> TestRequest {
        self.request(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str) -> TestRequest {
        self.request(Method::POST, path)
    }

    pub(super) fn request(&self, method: Method, path: &str) -> TestRequest {
        TestRequest {
            sessions: self.sessions.clone(),
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
        }
    }

    /// Logs in and keeps what a browser in cookie mode would.
    pub(super) async fn log_in(&self, user: &str) -> Client {
        self.post("/login")
            .header("st-auth-mode", "cookie")
            .log_in(user)
            .await
            .client()
    }

    /// Logs in and keeps what a client in header mode would.
    pub(super) async fn log_in_by_header(&self, user: &str) -> Client {
        self.post("/login")
            .header("st-auth-mode", "header")
            .log_in(user)
            .await
            .client()
    }
}

/// The lines of a request.
pub(super) fn headers<const N: usize>(lines: [(&'static str, &[u8]); N]) -> HeaderMap {
    lines
        .into_iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value).unwrap(),
            )
        })
        .collect()
}

/// A request under construction.
pub(super) struct TestRequest {
    pub(super) sessions: Sessions,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
}

impl TestRequest {
    pub(super) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let name = HeaderName::try_from(name).unwrap();
        self.headers
            .append(name, HeaderValue::try_from(value.as_ref()).unwrap());
        self
    }

    /// Adds a `Cookie` line of its own, as HTTP/2 allows.
    pub(super) fn cookie(self, name: &str, value: impl AsRef<str>) -> Self {
        self.header("cookie", format!("{name}={}", value.as_ref()))
    }

    pub(super) fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// The access cookie of a client.
    pub(super) fn access_cookie(self, client: &Client) -> Self {
        self.cookie("sAccessToken", &client.access)
    }

    /// The cookies that a browser sends to the refresh route.
    pub(super) fn all_cookies(self, client: &Client) -> Self {
        self.access_cookie(client)
            .cookie("sRefreshToken", &client.refresh)
    }

    pub(super) fn exchange(&self) -> Exchange {
        Exchange::new(&self.sessions, &self.method, &self.path, &self.headers)
    }

    /// Answers a request to a login route.
    pub(super) async fn log_in(self, user: &str) -> Reply {
        self.log_in_with(NewSession::new(UserId::try_from(user).unwrap()))
            .await
    }

    pub(super) async fn log_in_with(self, new: NewSession) -> Reply {
        let exchange = self.exchange();
        let outcome = exchange.create(new).await;
        Reply::of_handler(&exchange, outcome.map(Some))
    }

    /// Answers a request to a route that is guarded by `options`.
    pub(super) async fn guarded_by(self, options: VerifyOptions) -> Reply {
        let exchange = self.exchange();
        let outcome = exchange.guard(&options).await;
        Reply::of_handler(&exchange, outcome)
    }

    /// Answers a request to one of our own routes; `None` when it is not one.
    pub(super) async fn routed(self) -> Option<Reply> {
        let exchange = self.exchange();
        let mut response = exchange.handle_route().await?;
        exchange.finish(&mut response);
        Some(Reply::of(response))
    }
}

/// What a client keeps.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) anti_csrf: Option<String>,
}

/// A response as a client sees it.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    /// The session that the handler got.
    pub(super) session: Option<Session>,
}

impl Reply {
    fn of(response: Response<bytes::Bytes>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status,
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            session: None,
        }
    }

    /// What a framework makes of a handler: an empty 200 or our refusal, with the effects.
    pub(super) fn of_handler(
        exchange: &Exchange,
        outcome: Result<Option<Session>, Refusal>,
    ) -> Self {
        let (session, mut response) = match outcome {
            Ok(session) => (session, Response::default()),
            Err(refusal) => (None, refusal.to_response()),
        };
        exchange.finish(&mut response);
        Self {
            session,
            ..Self::of(response)
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        assert!(
            self.headers.get_all(name).iter().count() <= 1,
            "{name} is repeated"
        );
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn cookies(&self) -> Vec<SetCookie> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines
            .map(|line| SetCookie::parse(line.to_str().unwrap()))
            .collect()
    }

    pub(super) fn cookie(&self, name: &str) -> Option<SetCookie> {
        let mut found = self
            .cookies()
            .into_iter()
            .filter(|cookie| cookie.name == name);
        let first = found.next();
        assert!(found.next().is_none(), "{name} is set twice");
        first
    }

    pub(super) fn exposed(&self) -> Option<&str> {
        self.header("access-control-expose-headers")
    }

    pub(super) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// What the client keeps of the response; fails when there is no session in it.
    pub(super) fn client(&self) -> Client {
        let text = |header: &str, cookie: &str| {
            let header = self.header(header).map(str::to_owned);
            header
                .or_else(|| self.cookie(cookie).map(|cookie| cookie.value))
                .unwrap()
        };
        Client {
            access: text("st-access-token", "sAccessToken"),
            refresh: text("st-refresh-token", "sRefreshToken"),
            anti_csrf: self.header("anti-csrf").map(str::to_owned),
        }
    }

    #[track_caller]
    pub(super) fn assert_refused(&self, status: u16, message: &str) {
        assert_eq!((self.status.as_u16(), self.message()), (status, message));
    }

    /// Nothing about the client's tokens is in the response.
    #[track_caller]
    pub(super) fn assert_tokens_untouched(&self) {
        let touched = [
            "set-cookie",
            "front-token",
            "st-access-token",
            "st-refresh-token",
        ];
        for name in touched {
            assert!(!self.headers.contains_key(name), "{name}");
        }
    }

    /// Both methods are cleared (wire §4.6).
    #[track_caller]
    pub(super) fn assert_tokens_cleared(&self) {
        self.assert_cookies_cleared();
        assert_eq!(self.header("st-access-token"), Some(""));
        assert_eq!(self.header("st-refresh-token"), Some(""));
        assert_eq!(self.header("front-token"), Some("remove"));
        assert_eq!(
            self.exposed(),
            Some("front-token, st-access-token, st-refresh-token")
        );
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }

    #[track_caller]
    pub(super) fn assert_cookies_cleared(&self) {
        for name in ["sAccessToken", "sRefreshToken"] {
            let cookie = self.cookie(name).unwrap();
            assert_eq!(cookie.value, "");
            assert_eq!(
                cookie.attribute("Expires"),
                Some("Thu, 01 Jan 1970 00:00:00 GMT")
            );
        }
    }
}

/// A `Set-Cookie` line, taken apart.
#[derive(Debug, PartialEq)]
pub(super) struct SetCookie {
    pub(super) name: String,
    pub(super) value: String,
    attributes: Vec<(String, String)>,
}

impl SetCookie {
    fn parse(line: &str) -> Self {
        let split = |text: &str| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (name.trim().to_owned(), value.to_owned())
        };
        let mut parts = line.split(';');
        let (name, value) = split(parts.next().unwrap());
        Self {
            name,
            value,
            attributes: parts.map(split).collect(),
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(found, _)| found == name);
        let first = found.next();
        assert!(found.next().is_none(), "{name} is repeated");
        first.map(|(_, value)| value.as_str())
    }
}

/// The configuration of an application at the usual place.
pub(super) fn config() -> SessionConfig {
    let app = AppInfo::new("https://api.example.com", "https://example.com");
    SessionConfig::builder(app).build().unwrap()
}
