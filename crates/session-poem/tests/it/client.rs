//! An application in memory, and a client that keeps its tokens.

use std::time::Duration;

use poem::{
    Endpoint, EndpointExt as _, Request, Response, Route, handler,
    http::{HeaderMap, Method, StatusCode, header::SET_COOKIE},
    post,
};
use serde_json::Value;
use session_core::testing::TestSessions;
use session_poem::{
    NewSession, SessionError, SessionLayer, SessionRejection, Sessions, UserId, create_session,
};

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
        let app = Route::new().at("/login", post(log_in)).with(self.layer());
        let mut browser = Browser::default();
        let reply = browser.send(&app, login_request(user)).await;
        assert_eq!(reply.status, StatusCode::OK);
        browser
    }
}

/// A login handler as the documentation has it.
#[handler]
pub(crate) async fn log_in(request: &Request, user: String) -> Result<String, SessionRejection> {
    let user = UserId::try_from(user).map_err(SessionError::from)?;
    let session = create_session(request, NewSession::new(user)).await?;
    Ok(session.handle().to_string())
}

pub(crate) fn login_request(user: &str) -> Request {
    Request::builder()
        .method(Method::POST)
        .uri_str("/login")
        .header("st-auth-mode", "cookie")
        .body(user.to_owned())
}

/// Keeps cookies as a browser does, as far as these tests need it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    pub(crate) async fn get(&mut self, app: &impl Endpoint, path: &str) -> Reply {
        self.send(app, request(Method::GET, path)).await
    }

    pub(crate) async fn post(&mut self, app: &impl Endpoint, path: &str) -> Reply {
        self.send(app, request(Method::POST, path)).await
    }

    pub(crate) async fn send(&mut self, app: &impl Endpoint, request: Request) -> Reply {
        let reply = Reply::of(app.get_response(self.with_cookies(request)).await).await;
        self.keep(&reply.headers);
        reply
    }

    pub(crate) fn with_cookies(&self, mut request: Request) -> Request {
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

pub(crate) fn request(method: Method, path: &str) -> Request {
    Request::builder().method(method).uri_str(path).finish()
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
        let body = body.into_bytes().await.unwrap();
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
