//! `SetCookie`: a `Set-Cookie` line, taken apart.

use std::time::SystemTime;

use percent_encoding::percent_decode_str;
use session_core::clock::unix_ms;

/// A `Set-Cookie` line, taken apart (RFC 6265 §4.1.1).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetCookie {
    /// The name.
    pub name: String,
    /// The value, percent-decoded.
    pub value: String,
    /// The attributes in the order they came, each with its value.
    attributes: Vec<(String, String)>,
}

impl SetCookie {
    /// Takes a line apart; anything that a server must not write is a failure.
    pub fn parse(line: &str) -> Self {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        assert!(!name.is_empty(), "a cookie without a name");
        assert!(
            value
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')),
            "{name} has a value that is no cookie's"
        );
        let attributes: Vec<(String, String)> = parts
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                (name.to_owned(), value.to_owned())
            })
            .collect();
        for (index, (attribute, _)) in attributes.iter().enumerate() {
            let again = |(other, _): &(String, String)| other.eq_ignore_ascii_case(attribute);
            assert!(
                !attributes[index + 1..].iter().any(again),
                "{name} has {attribute} twice"
            );
        }
        Self {
            name: name.to_owned(),
            value: percent_decode_str(value)
                .decode_utf8()
                .unwrap()
                .into_owned(),
            attributes,
        }
    }

    /// The value of an attribute; `""` for one that is only a name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(attribute, _)| attribute == name)
            .map(|(_, value)| value.as_str())
    }

    /// When the cookie expires, as Unix seconds.
    pub fn expires_at_s(&self) -> Option<i64> {
        let date = self.attribute("Expires")?;
        let time: SystemTime = httpdate::parse_http_date(date).unwrap();
        Some(unix_ms(time).div_euclid(1_000))
    }

    /// Whether the line takes the cookie away: no value, and an expiry at the beginning of time.
    pub fn is_removal(&self) -> bool {
        self.value.is_empty() && self.expires_at_s() == Some(0)
    }
}

impl std::fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetCookie")
            .field("name", &self.name)
            .field("empty", &self.value.is_empty())
            .field("attributes", &self.attributes)
            .finish()
    }
}
