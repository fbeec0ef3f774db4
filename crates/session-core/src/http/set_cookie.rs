//! Writing `Set-Cookie` (wire §4.2, RFC 6265bis §4.1).

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A cookie to be set, or cleared when its value is empty.
///
/// The name, the domain and the path come from the configuration, which has judged them.
pub(crate) struct SetCookie<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
    pub(crate) domain: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) expires: SystemTime,
    pub(crate) secure: bool,
    /// `Lax`, `None` or `Strict`.
    pub(crate) same_site: &'a str,
}

impl SetCookie<'_> {
    /// The header's value; `None` when a part of it cannot stand in a header.
    ///
    /// A token is marked as sensitive, so that no `Debug` prints it and HTTP/2 does not index it.
    pub(crate) fn to_header_value(&self) -> Option<HeaderValue> {
        let mut text = format!("{}={}", self.name, encode_component(self.value));
        let mut attribute = |name: &str, value: &str| {
            let _written = write!(text, "; {name}={value}");
        };
        if let Some(domain) = self.domain.filter(|domain| !domain.is_empty()) {
            attribute("Domain", domain);
        }
        attribute("Path", self.path);
        attribute("Expires", &http_date(self.expires));
        text.push_str("; HttpOnly");
        if self.secure {
            text.push_str("; Secure");
        }
        let _written = write!(text, "; SameSite={}", self.same_site);
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(!self.value.is_empty());
        Some(value)
    }

    /// How many bytes of the limit that browsers put on a cookie it needs: its name and its value
    /// (RFC 6265bis §5.7).
    pub(crate) fn size(name: &str, value: &str) -> usize {
        let encoded: usize = utf8_percent_encode(value, COMPONENT).map(str::len).sum();
        name.len() + encoded
    }
}

/// The most bytes that a cookie's name and value may have together: a browser drops a greater one
/// without a word (RFC 6265bis §5.7, security E12).
pub(crate) const MAX_COOKIE_SIZE: usize = 4096;

/// A cookie that expires now has expired for good (wire §4.2: `Thu, 01 Jan 1970 00:00:00 GMT`).
pub(crate) const LONG_AGO: SystemTime = UNIX_EPOCH;

/// As JavaScript's `encodeURIComponent`.
pub(crate) fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// The name of the cookie that a `Set-Cookie` value sets.
pub(crate) fn name_of(value: &HeaderValue) -> &[u8] {
    let name = value
        .as_bytes()
        .split(|&byte| byte == b'=' || byte == b';')
        .next()
        .unwrap_or_default();
    name.trim_ascii()
}

/// An IMF-fixdate; times outside the years that it can name are clamped, never a panic (security
/// E12).
fn http_date(time: SystemTime) -> String {
    let latest = UNIX_EPOCH + Duration::from_secs(LAST_SECOND_OF_9999);
    httpdate::fmt_http_date(time.clamp(UNIX_EPOCH, latest))
}

const LAST_SECOND_OF_9999: u64 = 253_402_300_799;

const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix_ms;

    fn cookie<'a>() -> SetCookie<'a> {
        SetCookie {
            name: "sRefreshToken",
            value: "a+b/c=",
            domain: None,
            path: "/auth/session/refresh",
            expires: from_unix_ms(1_700_000_000_000),
            secure: true,
            same_site: "Lax",
        }
    }

    fn text(cookie: &SetCookie<'_>) -> String {
        cookie
            .to_header_value()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Wire §4.2, REQ-30: the attributes, in order, and the value as `encodeURIComponent` has it.
    #[test]
    fn a_cookie_has_every_attribute_explicitly() {
        assert_eq!(
            text(&cookie()),
            "sRefreshToken=a%2Bb%2Fc%3D; Path=/auth/session/refresh; \
             Expires=Tue, 14 Nov 2023 22:13:20 GMT; HttpOnly; Secure; SameSite=Lax"
        );
        let insecure = SetCookie {
            domain: Some(".example.com"),
            secure: false,
            ..cookie()
        };
        assert_eq!(
            text(&insecure),
            "sRefreshToken=a%2Bb%2Fc%3D; Domain=.example.com; Path=/auth/session/refresh; \
             Expires=Tue, 14 Nov 2023 22:13:20 GMT; HttpOnly; SameSite=Lax"
        );
    }

    /// Wire case 57: clearing is an empty value and the epoch, with the same attributes.
    #[test]
    fn a_cleared_cookie_keeps_its_attributes() {
        let cleared = SetCookie {
            value: "",
            expires: LONG_AGO,
            domain: Some(""),
            ..cookie()
        };
        assert_eq!(
            text(&cleared),
            "sRefreshToken=; Path=/auth/session/refresh; \
             Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax"
        );
    }

    /// E12: no date is too far away.
    #[test]
    fn any_expiry_can_be_written() {
        for expires_at_ms in [i64::MAX, i64::MIN, -1, 253_402_300_800_000] {
            let far = SetCookie {
                expires: from_unix_ms(expires_at_ms),
                ..cookie()
            };
            assert!(text(&far).contains(" GMT; HttpOnly"), "{expires_at_ms}");
        }
    }

    /// E12: the encoded value counts, as it is what the browser measures.
    #[test]
    fn the_size_counts_the_encoded_value() {
        assert_eq!(SetCookie::size("name", "a+b"), 4 + 5);
    }

    /// K: no `Debug` of a header map prints a token.
    #[test]
    fn a_token_is_sensitive() {
        let value = cookie().to_header_value().unwrap();
        assert_eq!(format!("{value:?}"), "Sensitive");
    }

    #[test]
    fn the_name_of_a_cookie_ends_at_its_value() {
        for (text, name) in [
            ("a=b; Path=/", "a"),
            (" a =b=c", "a"),
            ("a", "a"),
            ("a; b=c", "a"),
        ] {
            assert_eq!(
                name_of(&HeaderValue::from_static(text)),
                name.as_bytes(),
                "{text}"
            );
        }
    }
}
