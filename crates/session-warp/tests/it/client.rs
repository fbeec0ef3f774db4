//! Routes in memory, and requests to them.

use std::{convert::Infallible, time::Duration};

use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use session_core::testing::TestSessions;
use session_warp::{SessionLayer, Sessions, service};
use tower::{Layer as _, Service, ServiceExt as _, util::BoxCloneService};
use warp::{
    Filter, Rejection, Reply,
    http::{HeaderMap, Method, Request, Response, StatusCode, header},
    hyper::body::{Body, Bytes},
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

    /// The access token of a new session.
    pub(crate) async fn log_in(&self, user: &str) -> String {
        let issued = self.0.log_in(user).await.unwrap();
        issued.tokens().access_token().expose().to_owned()
    }

    /// Ends all sessions of a user behind the back of its clients.
    pub(crate) async fn end(&self, user: &str) {
        let user = user.to_owned().try_into().unwrap();
        let ended = self.sessions().revoke_all_of_user(&user, None).await;
        assert!(!ended.unwrap().is_empty());
    }

    /// Routes, as `serve` has them.
    pub(crate) fn app<F, R>(&self, routes: F) -> App
    where
        F: Filter<Extract = (R,), Error: Into<Rejection>> + Send + Sync + 'static,
        R: Reply + 'static,
    {
        App::new(self.layer().layer(service(routes)))
    }
}

/// A service, and what a server would ask it.
#[derive(Clone)]
pub(crate) struct App(BoxCloneService<Request<Full<Bytes>>, Answer, Infallible>);

impl App {
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data: Send, Error: std::fmt::Debug> + Send + 'static,
    {
        Self(BoxCloneService::new(service.and_then(Answer::read)))
    }

    /// A request of a client without a session.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path)).await
    }

    /// A request of a browser that has this access token.
    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(with_session(request(Method::GET, path), token))
            .await
    }

    pub(crate) async fn post_as(&self, token: &str, path: &str) -> Answer {
        self.send(with_session(request(Method::POST, path), token))
            .await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.0.clone().oneshot(request).await.unwrap()
    }
}

pub(crate) fn request(method: Method, path: &str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(path);
    request
        .header("st-auth-mode", "cookie")
        .body(Full::default())
        .unwrap()
}

pub(crate) fn with_session(mut request: Request<Full<Bytes>>, token: &str) -> Request<Full<Bytes>> {
    let cookie = format!("sAccessToken={token}").parse().unwrap();
    request.headers_mut().insert(header::COOKIE, cookie);
    request
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    async fn read<B: Body<Error: std::fmt::Debug>>(
        response: Response<B>,
    ) -> Result<Self, Infallible> {
        let (head, body) = response.into_parts();
        Ok(Self {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Our cookies that it sets, with their values; E13 wants each at most once.
    pub(crate) fn cookies(&self) -> Vec<(&str, &str)> {
        let lines = self.headers.get_all(header::SET_COOKIE).iter();
        let pair = |line: &'_ str| line.split(';').next().unwrap().len();
        lines
            .map(|line| line.to_str().unwrap())
            .map(|line| line.split_at(pair(line)).0.split_once('=').unwrap())
            .collect()
    }

    #[track_caller]
    pub(crate) fn assert_text(&self, text: &str) {
        assert_eq!((self.status.as_u16(), self.text()), (200, text));
    }

    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, message: &str) {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let found = body["message"].as_str().unwrap_or_default();
        assert_eq!((self.status.as_u16(), found), (status, message));
    }
}
