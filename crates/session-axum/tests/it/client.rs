//! An application in memory, and a client that keeps its tokens.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header::SET_COOKIE},
    response::Response,
    routing::post,
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use session_axum::{NewSession, SessionLayer, SessionRejection, SessionRequest, Sessions, UserId};
use session_core::testing::TestSessions;
use tower::ServiceExt as _;

/// Sessions in memory.
pub(crate) struct TestApp(TestSessions);

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self(TestSessions::new().await.unwrap())
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        self.0.sessions()
    }

    pub(crate) fn layer(&self) -> SessionLayer {
        SessionLayer::new(self.sessions().clone())
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.advance(by);
    }

    /// A browser that has logged in.
    pub(crate) async fn log_in(&self, user: &str) -> Browser {
        let app = Router::new()
            .route("/login", post(log_in))
            .layer(self.layer());
        let mut browser = Browser::default();
        let request = Request::post("/login").header("st-auth-mode", "cookie");
        let reply = browser
            .send(app, request.body(Body::from(user.to_owned())).unwrap())
            .await;
        assert_eq!(reply.status, StatusCode::OK);
        browser
    }
}

/// A login handler as the documentation has it.
pub(crate) async fn log_in(
    request: SessionRequest,
    user: String,
) -> Result<String, SessionRejection> {
    let user = UserId::try_from(user).map_err(session_axum::SessionError::from)?;
    let session = request.create_session(NewSession::new(user)).await?;
    Ok(session.handle().to_string())
}

/// Keeps cookies as a browser does, as far as these tests need it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    pub(crate) async fn get(&mut self, app: Router, path: &str) -> Reply {
        self.send(app, request(Method::GET, path)).await
    }

    pub(crate) async fn post(&mut self, app: Router, path: &str) -> Reply {
        self.send(app, request(Method::POST, path)).await
    }

    pub(crate) async fn send(&mut self, app: Router, request: Request<Body>) -> Reply {
        let reply = Reply::of(app.oneshot(self.with_cookies(request)).await.unwrap()).await;
        self.keep(&reply.headers);
        reply
    }

    pub(crate) fn with_cookies(&self, mut request: Request<Body>) -> Request<Body> {
        for (name, value) in &self.cookies {
            let cookie = format!("{name}={value}").parse().unwrap();
            request.headers_mut().append("cookie", cookie);
        }
        request
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let found = self.cookies.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

pub(crate) fn request(method: Method, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap()
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn of(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn message(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["message"].as_str().unwrap_or_default().to_owned()
    }

    /// How many times a cookie is set; E13 wants at most one.
    pub(crate) fn times_set(&self, cookie: &str) -> usize {
        let prefix = format!("{cookie}=");
        let lines = self.headers.get_all(SET_COOKIE).iter();
        lines
            .filter(|line| line.as_bytes().starts_with(prefix.as_bytes()))
            .count()
    }

    pub(crate) fn clears(&self, cookie: &str) -> bool {
        let cleared = format!("{cookie}=;");
        let mut lines = self.headers.get_all(SET_COOKIE).iter();
        lines.any(|line| line.as_bytes().starts_with(cleared.as_bytes()))
    }

    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, message: &str) {
        assert_eq!(
            (self.status.as_u16(), self.message().as_str()),
            (status, message)
        );
    }
}
