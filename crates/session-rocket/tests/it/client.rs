//! An application in memory, driven by Rocket's local client. Cookies are kept here, for the clock is
//! the test's and Rocket's client would find them expired.

use std::{sync::Mutex, time::Duration};

use rocket::{
    Build, Rocket, Route,
    http::{Header, Method},
    local::asynchronous::{Client, LocalRequest},
    post, routes,
};
use serde_json::Value;
use session_core::testing::TestSessions;
use session_rocket::{
    NewSession, SessionError, SessionFairing, SessionRejection, SessionRequest, Sessions, UserId,
};

use crate::application;

pub(crate) struct TestApp {
    test: TestSessions,
    client: Client,
    cookies: Mutex<Vec<(String, String)>>,
}

impl TestApp {
    /// An application with these routes.
    pub(crate) async fn new(routes: Vec<Route>) -> Self {
        Self::with(|rocket, fairing| rocket.mount("/", routes).attach(fairing)).await
    }

    /// An application to which `build` adds all that it needs, the fairing included.
    pub(crate) async fn with(
        build: impl FnOnce(Rocket<Build>, SessionFairing) -> Rocket<Build>,
    ) -> Self {
        Self::of(TestSessions::new().await.unwrap(), build).await
    }

    pub(crate) async fn of(
        test: TestSessions,
        build: impl FnOnce(Rocket<Build>, SessionFairing) -> Rocket<Build>,
    ) -> Self {
        let fairing = SessionFairing::new(test.sessions().clone());
        let rocket = build(bare().mount("/", routes![log_in]), fairing);
        Self {
            test,
            client: Client::untracked(rocket).await.unwrap(),
            cookies: Mutex::default(),
        }
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        self.test.sessions()
    }

    /// What the application has managed.
    pub(crate) fn managed<T: Send + Sync + 'static>(&self) -> &T {
        self.client.rocket().state().unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.test.advance(by);
    }

    pub(crate) async fn log_in(&self, user: &str) {
        let mode = Header::new("st-auth-mode", "cookie");
        let login = self.request(Method::Post, "/login").header(mode);
        assert_eq!(self.send(login.body(user)).await.status, 200);
    }

    pub(crate) async fn get(&self, path: &'static str) -> Reply {
        self.send(self.request(Method::Get, path)).await
    }

    pub(crate) async fn post(&self, path: &'static str) -> Reply {
        self.send(self.request(Method::Post, path)).await
    }

    /// A request with the cookies that were kept.
    pub(crate) fn request(&self, method: Method, path: &'static str) -> LocalRequest<'_> {
        let cookies = self.cookies.lock().unwrap().clone();
        self.client.req(method, path).cookies(cookies)
    }

    pub(crate) async fn send(&self, request: LocalRequest<'_>) -> Reply {
        let reply = Reply::to(request).await;
        let mut cookies = self.cookies.lock().unwrap();
        for line in reply.lines("set-cookie") {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            cookies.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        drop(cookies);
        reply
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.cookies.lock().unwrap();
        let found = cookies.iter().find(|(kept, _)| kept == name);
        found.map(|(_, value)| value.clone())
    }
}

/// An application without the fairing.
pub(crate) fn bare() -> Rocket<Build> {
    rocket::custom(application::config())
}

/// A login handler as the documentation has it.
#[post("/login", data = "<user>")]
pub(crate) async fn log_in(
    request: SessionRequest,
    user: String,
) -> Result<String, SessionRejection> {
    let user = UserId::try_from(user).map_err(SessionError::from)?;
    let session = request.create_session(NewSession::new(user)).await?;
    Ok(session.handle().to_string())
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn to(request: LocalRequest<'_>) -> Self {
        let response = request.dispatch().await;
        let headers = response.headers().iter();
        Self {
            status: response.status().code,
            headers: headers
                .map(|header| (header.name().to_string(), header.value().to_owned()))
                .collect(),
            body: response.into_string().await.unwrap_or_default(),
        }
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter();
        named
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// How many times a cookie is set; E13 wants at most one.
    pub(crate) fn times_set(&self, cookie: &str) -> usize {
        let prefix = format!("{cookie}=");
        let cookies = self.lines("set-cookie");
        cookies
            .iter()
            .filter(|line| line.starts_with(&prefix))
            .count()
    }

    pub(crate) fn clears(&self, cookie: &str) -> bool {
        let cleared = format!("{cookie}=;");
        let cookies = self.lines("set-cookie");
        cookies.iter().any(|line| line.starts_with(&cleared))
    }

    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, message: &str) {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        assert_eq!(
            (self.status, body["message"].as_str().unwrap_or_default()),
            (status, message),
            "{}",
            self.body
        );
    }
}
