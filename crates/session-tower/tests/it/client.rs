//! Services in memory, and a client that keeps its cookies.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header::SET_COOKIE};
use http_body_util::{BodyExt as _, Full};
use session_core::testing::TestSessions;
use session_tower::{NewSession, SessionLayer, Sessions, UserId, create_session};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _};

use crate::application::{Body, boxed};

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

    /// A browser that has logged in.
    pub(crate) async fn log_in(&self, user: &'static str) -> Browser {
        let app = ServiceBuilder::new().layer(self.layer()).service_fn(
            move |request: Request<Full<Bytes>>| async move {
                let user = UserId::try_from(user).unwrap();
                let new = NewSession::new(user);
                create_session(&request, new).await.unwrap();
                Ok(Response::new(Full::<Bytes>::default()))
            },
        );
        let mut browser = Browser::default();
        let mut request = request(Method::POST, "/login");
        request
            .headers_mut()
            .insert("st-auth-mode", "cookie".parse().unwrap());
        let reply = browser.send(app, request).await;
        assert_eq!(
            (reply.status, reply.times_set("sAccessToken")),
            (StatusCode::OK, 1)
        );
        browser
    }
}

/// Keeps cookies as a browser does, as far as these tests need it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    pub(crate) async fn send<S, B>(&mut self, app: S, request: Request<Full<Bytes>>) -> Reply
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
        B: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let response = app.oneshot(self.with_cookies(request)).await.unwrap();
        let reply = Reply::of(boxed(response)).await;
        self.keep(&reply.headers);
        reply
    }

    pub(crate) fn with_cookies<B>(&self, mut request: Request<B>) -> Request<B> {
        for (name, value) in &self.cookies {
            let cookie = format!("{name}={value}").parse().unwrap();
            request.headers_mut().append("cookie", cookie);
        }
        request
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

pub(crate) fn request(method: Method, path: &str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(path);
    request.body(Full::default()).unwrap()
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    async fn of(response: Response<Body>) -> Self {
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

    /// How many times a cookie is set; E13 wants at most one.
    pub(crate) fn times_set(&self, cookie: &str) -> usize {
        self.set_cookies(&format!("{cookie}="))
    }

    pub(crate) fn clears(&self, cookie: &str) -> bool {
        self.set_cookies(&format!("{cookie}=;")) == 1
    }

    fn set_cookies(&self, prefix: &str) -> usize {
        let lines = self.headers.get_all(SET_COOKIE).iter();
        lines
            .filter(|line| line.as_bytes().starts_with(prefix.as_bytes()))
            .count()
    }
}
