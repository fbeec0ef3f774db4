//! `Answer`: a response, with the session's part of it taken apart and the rules that hold for all
//! of them.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header, response::Parts};
use serde_json::{Value, json};
use session_core::token::FrontToken;

use super::SetCookie;
use crate::http::TestApp;

/// A response. What has to hold for every response of the suite is checked when it arrives.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    set_cookies: Vec<SetCookie>,
    access_name: String,
    refresh_name: String,
}

impl Answer {
    /// Takes a response apart, and checks what holds for all of them:
    ///
    /// * E13: no cookie and no token header twice;
    /// * E19: tokens travel with `no-store` only;
    /// * E10: a front token is base64 of JSON and nothing else;
    /// * E17: no wildcard origin beside credentials;
    /// * wire §4.4: what the front end has to read is exposed, by its name and once.
    pub(crate) fn new(app: &TestApp, parts: Parts, body: Bytes) -> Self {
        let set_cookies: Vec<SetCookie> = parts
            .headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|line| SetCookie::parse(line.to_str().unwrap()))
            .collect();
        let names = app.sessions().config().cookies();
        let answer = Self {
            status: parts.status,
            headers: parts.headers,
            body,
            set_cookies,
            access_name: names.access_name().to_owned(),
            refresh_name: names.refresh_name().to_owned(),
        };
        answer.assert_each_once();
        answer.assert_exposed();
        if answer.changes_tokens() {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        let _front_token = answer.front_token();
        if answer.header("access-control-allow-origin") == Some("*") {
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
        answer
    }

    fn assert_each_once(&self) {
        for (index, cookie) in self.set_cookies.iter().enumerate() {
            let mut after = self.set_cookies[index + 1..].iter();
            assert!(
                after.all(|other| other.name != cookie.name),
                "{} is set twice",
                cookie.name
            );
        }
        for name in TOKEN_HEADERS.into_iter().chain(["cache-control"]) {
            let count = self.headers.get_all(name).iter().count();
            assert!(count <= 1, "{name} is there {count} times");
        }
    }

    fn assert_exposed(&self) {
        let exposed = self.exposed();
        for name in TOKEN_HEADERS {
            let sent = usize::from(self.headers.contains_key(name));
            let times = exposed.iter().filter(|other| *other == name).count();
            assert_eq!(times, sent, "{name} is exposed {times} times");
        }
    }

    pub(crate) fn assert_says_none_of(&self, secrets: &[String]) {
        let body = self.text();
        for secret in secrets {
            assert!(!body.contains(secret), "a body repeats a token");
        }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header that is there once, if at all.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.get_all(name).iter();
        let line = lines.next()?;
        assert!(lines.next().is_none(), "{name} is there more than once");
        Some(line.to_str().unwrap())
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The names in `Access-Control-Expose-Headers`, in order and in lower case.
    pub fn exposed(&self) -> Vec<String> {
        self.headers
            .get_all(header::ACCESS_CONTROL_EXPOSE_HEADERS)
            .iter()
            .flat_map(|line| line.to_str().unwrap().split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .collect()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is not JSON")
    }

    /// The cookies that are set or taken away.
    pub fn set_cookies(&self) -> &[SetCookie] {
        &self.set_cookies
    }

    /// The line about a cookie.
    pub fn set_cookie(&self, name: &str) -> Option<&SetCookie> {
        self.set_cookies.iter().find(|cookie| cookie.name == name)
    }

    /// The line about the access cookie.
    pub fn access_cookie(&self) -> Option<&SetCookie> {
        self.set_cookie(&self.access_name)
    }

    /// The line about the refresh cookie.
    pub fn refresh_cookie(&self) -> Option<&SetCookie> {
        self.set_cookie(&self.refresh_name)
    }

    /// The access token in a header; empty takes it away.
    pub fn st_access_token(&self) -> Option<&str> {
        self.header("st-access-token")
    }

    /// The refresh token in a header; empty takes it away.
    pub fn st_refresh_token(&self) -> Option<&str> {
        self.header("st-refresh-token")
    }

    /// The anti-CSRF token.
    pub fn anti_csrf(&self) -> Option<&str> {
        self.header("anti-csrf")
    }

    /// Whether the front end is told that there is no session any more.
    pub fn removes_front_token(&self) -> bool {
        self.header("front-token") == Some("remove")
    }

    /// What the front end is told about the session.
    pub fn front_token(&self) -> Option<FrontToken> {
        let text = self
            .header("front-token")
            .filter(|&text| text != "remove")?;
        Some(FrontToken::parse(text).expect("a front token that cannot be read"))
    }

    /// The new access token, however it travels.
    pub fn access_token(&self) -> Option<&str> {
        let cookie = self.access_cookie().map(|cookie| cookie.value.as_str());
        cookie
            .or(self.st_access_token())
            .filter(|token| !token.is_empty())
    }

    /// The new refresh token, however it travels.
    pub fn refresh_token(&self) -> Option<&str> {
        let cookie = self.refresh_cookie().map(|cookie| cookie.value.as_str());
        cookie
            .or(self.st_refresh_token())
            .filter(|token| !token.is_empty())
    }

    fn changes_tokens(&self) -> bool {
        self.access_cookie().is_some()
            || self.refresh_cookie().is_some()
            || TOKEN_HEADERS
                .iter()
                .any(|name| self.headers.contains_key(*name))
    }

    /// The status is this one.
    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status(), status, "{}", self.text());
        self
    }

    /// The body is `{"message":…}` and nothing more.
    #[track_caller]
    pub fn assert_message(&self, message: &str) -> &Self {
        assert_eq!(self.json(), json!({ "message": message }));
        self
    }

    /// The client is asked to refresh and keeps its tokens.
    #[track_caller]
    pub fn assert_try_refresh_token(&self) -> &Self {
        self.assert_status(401)
            .assert_message("try refresh token")
            .assert_tokens_untouched()
    }

    /// The client is told that there is no session and keeps its tokens.
    #[track_caller]
    pub fn assert_no_session(&self) -> &Self {
        self.assert_status(401)
            .assert_message("unauthorised")
            .assert_tokens_untouched()
    }

    /// The client is told that its session is over and loses its tokens.
    #[track_caller]
    pub fn assert_session_over(&self) -> &Self {
        self.assert_status(401)
            .assert_message("unauthorised")
            .assert_tokens_cleared()
    }

    /// Nothing is said about tokens.
    #[track_caller]
    pub fn assert_tokens_untouched(&self) -> &Self {
        assert!(!self.changes_tokens(), "{:?}", self.headers.keys());
        self
    }

    /// Both cookies are taken away.
    #[track_caller]
    pub fn assert_cookies_cleared(&self) -> &Self {
        for cookie in [self.access_cookie(), self.refresh_cookie()] {
            assert!(cookie.is_some_and(SetCookie::is_removal), "{cookie:?}");
        }
        self
    }

    /// Both tokens that the client keeps itself are taken away.
    #[track_caller]
    pub fn assert_headers_cleared(&self) -> &Self {
        assert_eq!(self.st_access_token(), Some(""));
        assert_eq!(self.st_refresh_token(), Some(""));
        self
    }

    /// All tokens there may be are taken away (wire §4.6).
    #[track_caller]
    pub fn assert_tokens_cleared(&self) -> &Self {
        assert!(self.removes_front_token());
        assert_eq!(self.anti_csrf(), None);
        assert_eq!(
            self.exposed(),
            ["front-token", "st-access-token", "st-refresh-token"]
        );
        self.assert_cookies_cleared().assert_headers_cleared()
    }

    /// The answer is a described session of `user`.
    #[track_caller]
    pub fn assert_user(&self, user: &str) -> &Self {
        self.assert_status(200);
        assert_eq!(self.json()["user"], user);
        self
    }

    /// The answer was given without a session.
    #[track_caller]
    pub fn assert_nobody(&self) -> &Self {
        self.assert_status(200);
        assert_eq!(self.json(), json!({ "user": null }));
        self
    }
}

const TOKEN_HEADERS: [&str; 4] = [
    "front-token",
    "st-access-token",
    "st-refresh-token",
    "anti-csrf",
];
