//! An application in `actix_web::test`, and a client that keeps its tokens.

use std::time::Duration;

use actix_http::Request;
use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::{self, MessageBody},
    dev::{Service, ServiceResponse},
    http::header::{COOKIE, HeaderMap, SET_COOKIE},
    test::{self, TestRequest},
    web::{self, ServiceConfig},
};
use serde_json::Value;
use session_actix::{
    NewSession, SessionError, SessionMiddleware, SessionRejection, Sessions, UserId, create_session,
};
use session_core::testing::TestSessions;

/// Sessions in memory.
pub(crate) struct TestApp(TestSessions);

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self(TestSessions::new().await.unwrap())
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        self.0.sessions()
    }

    pub(crate) fn middleware(&self) -> SessionMiddleware {
        SessionMiddleware::new(self.sessions().clone())
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.advance(by);
    }

    /// The application of these routes, with the middleware around it.
    pub(crate) async fn app(
        &self,
        routes: impl FnOnce(&mut ServiceConfig),
    ) -> impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
        test::init_service(App::new().configure(routes).wrap(self.middleware())).await
    }

    /// A browser that has logged in.
    pub(crate) async fn log_in(&self, user: &str) -> Browser {
        let app = self
            .app(|config| {
                config.route("/login", web::post().to(log_in));
            })
            .await;
        let mut browser = Browser::default();
        let reply = browser.send(&app, login_as(user)).await;
        assert_eq!(reply.status, 200);
        browser
    }
}

/// A login handler as the documentation has it.
pub(crate) async fn log_in(request: HttpRequest, user: String) -> Result<String, SessionRejection> {
    let user = UserId::try_from(user).map_err(SessionError::from)?;
    let session = create_session(&request, NewSession::new(user)).await?;
    Ok(session.handle().to_string())
}

pub(crate) fn login_as(user: &str) -> TestRequest {
    let request = TestRequest::post().uri("/login");
    let request = request.insert_header(("st-auth-mode", "cookie"));
    request.set_payload(user.to_owned())
}

/// Keeps cookies as a browser does, as far as these tests need it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    pub(crate) async fn get<S, B>(&mut self, app: &S, path: &str) -> Reply
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        self.send(app, TestRequest::get().uri(path)).await
    }

    pub(crate) async fn post<S, B>(&mut self, app: &S, path: &str) -> Reply
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        self.send(app, TestRequest::post().uri(path)).await
    }

    pub(crate) async fn send<S, B>(&mut self, app: &S, request: TestRequest) -> Reply
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody,
    {
        let reply = match app.call(self.with_cookies(request).to_request()).await {
            Ok(response) => Reply::of(response.into_parts().1).await,
            // As the server does.
            Err(error) => Reply::of(HttpResponse::from_error(error)).await,
        };
        self.keep(&reply.headers);
        reply
    }

    pub(crate) fn with_cookies(&self, request: TestRequest) -> TestRequest {
        let cookies = self.cookies.iter();
        cookies.fold(request, |request, (name, value)| {
            request.append_header((COOKIE, format!("{name}={value}")))
        })
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

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    async fn of<B: MessageBody>(response: HttpResponse<B>) -> Self {
        let (head, body) = response.into_parts();
        let body = body::to_bytes(body).await.ok().unwrap();
        Self {
            status: head.status().as_u16(),
            headers: head.headers().clone(),
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
        let lines = self.headers.get_all(SET_COOKIE);
        lines
            .filter(|line| line.as_bytes().starts_with(prefix.as_bytes()))
            .count()
    }

    pub(crate) fn clears(&self, cookie: &str) -> bool {
        let cleared = format!("{cookie}=;");
        let mut lines = self.headers.get_all(SET_COOKIE);
        lines.any(|line| line.as_bytes().starts_with(cleared.as_bytes()))
    }

    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, message: &str) {
        assert_eq!((self.status, self.message().as_str()), (status, message));
    }
}
