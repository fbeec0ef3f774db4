//! `Browser`: a client that holds a session's tokens as the SDKs do (wire §11): those of browsers in
//! cookies, those of mobile apps by themselves.

mod calls;

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use http::Method;
use serde_json::{Map, Value};
use session_core::{SessionHandle, token::FrontToken};

use super::{Answer, Jar, Request, claims, request::cookie_pair};
use crate::http::{TestApp, test_app::login_body};

/// How a client holds its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Mode {
    /// In cookies.
    Cookie,
    /// By itself.
    Header,
}

impl Mode {
    /// The value of `st-auth-mode`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Header => "header",
        }
    }
}

/// A client that keeps what it is given and sends it as the browser SDK does.
#[derive(Debug)]
pub struct Browser<'a> {
    app: &'a TestApp,
    mode: Mode,
    held: Mutex<Held>,
    /// Held by the call that refreshes for all.
    refreshing: tokio::sync::Mutex<()>,
    refreshes: AtomicUsize,
}

/// What a client holds.
#[derive(Debug, Clone, Default)]
struct Held {
    jar: Jar,
    access_token: Option<String>,
    refresh_token: Option<String>,
    front_token: Option<FrontToken>,
    anti_csrf: Option<String>,
    /// How often an answer said whether there is a session.
    times_told: usize,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a TestApp, mode: Mode) -> Self {
        Self::holding(app, mode, Held::default())
    }

    fn holding(app: &'a TestApp, mode: Mode, held: Held) -> Self {
        Self {
            app,
            mode,
            held: Mutex::new(held),
            refreshing: tokio::sync::Mutex::default(),
            refreshes: AtomicUsize::default(),
        }
    }

    pub(crate) fn app(&self) -> &'a TestApp {
        self.app
    }

    /// Another client with the same tokens: a second tab that does not share what it learns, or a
    /// thief.
    #[must_use = "this browser stays as it is"]
    pub fn copy(&self) -> Self {
        Self::holding(self.app, self.mode, self.held())
    }

    /// The same client after it died while it kept what `newer` was given: it has the new refresh
    /// token, and the access token of before.
    #[must_use = "this browser stays as it is"]
    pub fn with_refresh_token_of(&self, newer: &Self) -> Self {
        let refresh_token = newer.held().refresh_token;
        let held = Held {
            refresh_token,
            ..self.held()
        };
        Self::holding(self.app, self.mode, held)
    }

    /// The same client as it talks to another server.
    pub fn at<'b>(&self, app: &'b TestApp) -> Browser<'b> {
        Browser::holding(app, self.mode, self.held())
    }

    /// Logs in: `login` is one of the logins of `POST /login`.
    pub async fn log_in(&self, login: Value) -> Answer {
        self.request(Method::POST, "/login")
            .json(&login_body(&login))
            .send()
            .await
    }

    /// A request as the browser SDK sends it.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        let held = self.held();
        let mut request = self.with_cookies(&held, method, path);
        if let (Some(access), Some(_)) = (&held.access_token, &held.refresh_token) {
            request = request.bearer(access);
        }
        request.header("rid", "anti-csrf")
    }

    /// A `GET`, sent.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// A `POST` without a body, sent.
    pub async fn post(&self, path: &str) -> Answer {
        self.request(Method::POST, path).send().await
    }

    /// A `POST /act` with these steps, sent.
    pub async fn act(&self, steps: Value) -> Answer {
        self.request(Method::POST, "/act")
            .json(&Map::from_iter([("steps".to_owned(), steps)]).into())
            .send()
            .await
    }

    /// A refresh as the browser SDK sends it.
    pub fn refresh_request(&self) -> Request<'_> {
        let held = self.held();
        let mut request = self.with_cookies(&held, Method::POST, self.app.refresh_path());
        if let Some(refresh) = &held.refresh_token {
            request = request.bearer(refresh);
        }
        request
            .header("rid", "session")
            .header("fdi-version", "1.16,1.17,1.18,1.19,2.0,3.0,3.1,4.0,4.1,4.2")
    }

    /// A refresh, sent.
    pub async fn refresh(&self) -> Answer {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
        self.refresh_request().send().await
    }

    /// A sign-out, sent.
    pub async fn sign_out(&self) -> Answer {
        let path = self.app.sessions().config().app().sign_out_path();
        self.request(Method::POST, path).send().await
    }

    fn with_cookies<'b>(&'b self, held: &Held, method: Method, path: &str) -> Request<'b> {
        let mut request =
            Request::of(self, method, path).header("st-auth-mode", self.mode.as_str());
        let cookies: Vec<String> = held
            .jar
            .cookies_for(path)
            .map(|(name, value)| cookie_pair(name, value))
            .collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(anti_csrf) = &held.anti_csrf {
            request = request.header("anti-csrf", anti_csrf);
        }
        request
    }

    /// Takes an answer to heart (wire §11.3).
    pub(crate) fn absorb(&self, answer: &Answer) {
        let mut held = self.held.lock().unwrap();
        held.jar.absorb(answer.set_cookies(), self.app.now_s());
        let kept = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        if let Some(refresh) = answer.st_refresh_token() {
            held.refresh_token = kept(refresh);
        }
        if let Some(access) = answer.st_access_token() {
            held.access_token = kept(access);
        }
        held.times_told += usize::from(answer.header("front-token").is_some());
        if answer.removes_front_token() {
            held.front_token = None;
            held.access_token = None;
            held.refresh_token = None;
            held.anti_csrf = None;
        } else if let Some(front_token) = answer.front_token() {
            held.front_token = Some(front_token);
        }
        if let (Some(anti_csrf), Some(_)) = (answer.anti_csrf(), &held.front_token) {
            held.anti_csrf = Some(anti_csrf.to_owned());
        }
    }

    fn held(&self) -> Held {
        self.held.lock().unwrap().clone()
    }

    /// How many refreshes it has sent.
    pub fn refreshes(&self) -> usize {
        self.refreshes.load(Ordering::Relaxed)
    }

    /// Whether the front end thinks that there is a session.
    pub fn has_session(&self) -> bool {
        self.held().front_token.is_some()
    }

    /// What the front end knows of the session.
    pub fn front_token(&self) -> FrontToken {
        self.held().front_token.expect("there is no session")
    }

    /// The access token it holds.
    pub fn access_token(&self) -> String {
        let (held, name) = (self.held(), self.app.sessions().config().cookies());
        let cookie = held.jar.value(name.access_name()).map(str::to_owned);
        cookie.or(held.access_token).expect("no access token")
    }

    /// The refresh token it holds.
    pub fn refresh_token(&self) -> String {
        let (held, name) = (self.held(), self.app.sessions().config().cookies());
        let cookie = held.jar.value(name.refresh_name()).map(str::to_owned);
        cookie.or(held.refresh_token).expect("no refresh token")
    }

    /// The anti-CSRF token it holds.
    pub fn anti_csrf(&self) -> Option<String> {
        self.held().anti_csrf
    }

    /// The session that its access token belongs to.
    pub fn handle(&self) -> SessionHandle {
        let claims = claims(&self.access_token());
        SessionHandle::try_from(claims["sessionHandle"].as_str().unwrap()).unwrap()
    }
}
