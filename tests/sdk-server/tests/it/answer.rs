//! An answer, read to its end.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use bytes::Bytes;
use http::{HeaderMap, header::SET_COOKIE, response::Parts};
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    pub(crate) fn new(head: Parts, body: &Bytes) -> Self {
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.body
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The lines that set a cookie, by its name: its value and its attributes.
    pub(crate) fn cookies(&self) -> BTreeMap<&str, (&str, Vec<&str>)> {
        let lines = self.headers.get_all(SET_COOKIE).iter();
        let cookies = lines.map(|line| {
            let mut parts = line.to_str().unwrap().split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            (name, (value, parts.collect()))
        });
        cookies.collect()
    }

    pub(crate) fn cookie_names(&self) -> Vec<&str> {
        self.cookies().into_keys().collect()
    }

    /// What scripts of another origin may read, in the order in which it is said.
    pub(crate) fn exposed(&self) -> Vec<&str> {
        let names = self.header("access-control-expose-headers");
        names.map_or(Vec::new(), |names| names.split(", ").collect())
    }

    /// The front token, in standard base64 with padding.
    pub(crate) fn front_token(&self) -> Value {
        let token = self
            .header("front-token")
            .unwrap_or_else(|| panic!("{self:?}"));
        serde_json::from_slice(&BASE64_STANDARD.decode(token).unwrap()).unwrap()
    }

    /// The claims that the front token shows.
    pub(crate) fn claims(&self) -> Value {
        self.front_token()["up"].clone()
    }

    #[track_caller]
    pub(crate) fn assert_text(&self, status: u16, text: &str) {
        assert_eq!((self.status, self.text()), (status, text), "{self:?}");
    }

    /// Refused, and the client keeps what it has.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, body: &Value) {
        assert_eq!((self.status, &self.json()), (status, body), "{self:?}");
        for name in [
            "set-cookie",
            "front-token",
            "st-access-token",
            "st-refresh-token",
        ] {
            assert!(!self.has(name), "{name}: {self:?}");
        }
    }

    /// Refused, and nothing of any client's is left.
    #[track_caller]
    pub(crate) fn assert_refused_and_cleared(&self, body: &Value) {
        assert_eq!((self.status, &self.json()), (401, body), "{self:?}");
        self.assert_cookies_cleared();
        assert_eq!(self.header("front-token"), Some("remove"), "{self:?}");
        assert_eq!(self.header("st-access-token"), Some(""), "{self:?}");
        assert_eq!(self.header("st-refresh-token"), Some(""), "{self:?}");
        assert!(!self.has("anti-csrf"), "{self:?}");
        let exposed = ["front-token", "st-access-token", "st-refresh-token"];
        assert_eq!(self.exposed(), exposed, "{self:?}");
    }

    #[track_caller]
    pub(crate) fn assert_cookies_cleared(&self) {
        let cookies = self.cookies();
        for (name, path) in [
            ("sAccessToken", "Path=/"),
            ("sRefreshToken", "Path=/auth/session/refresh"),
        ] {
            let expires = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
            let attributes = vec![path, expires, "HttpOnly", "SameSite=Lax"];
            assert_eq!(cookies.get(name), Some(&("", attributes)), "{self:?}");
        }
    }
}

/// A part of a token in the form of those that are made today: 0 is the header, 1 are the claims.
pub(crate) fn part_of_token(token: &str, part: usize) -> Value {
    let part = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
