//! Reading our cookies from a request: every `Cookie` line, byte by byte, within limits.
//!
//! A pair is what stands between two semicolons, less the one space that follows a semicolon. Its
//! name is compared byte by byte, so nothing that only looks like one of our names is taken for it
//! (security E3), and quotes have no meaning, so no value can hide a semicolon (security E4). What
//! a cookie's value means is judged elsewhere.

use std::borrow::Cow;

use http::header::COOKIE;
use percent_encoding::percent_decode;

use crate::{
    config::defaults::LEGACY_COOKIE_NAME,
    http::{
        HeaderLines,
        presented_token::{PresentedToken, each_is},
    },
    token::AccessToken,
    verify::VerifiedTokens,
};

/// The cookies of ours that a request carries.
#[derive(Debug)]
pub(crate) struct SessionCookies {
    pub(crate) access: SentCookie,
    pub(crate) refresh: SentCookie,
    pub(crate) legacy: SentCookie,
}

impl SessionCookies {
    /// Looks for the cookies of these names over all `Cookie` lines (security E2).
    pub(crate) fn read(
        headers: &dyn HeaderLines,
        access_name: &str,
        refresh_name: &str,
        known: &VerifiedTokens,
    ) -> Result<Self, TooManyCookies> {
        let mut found = Self {
            access: SentCookie::default(),
            refresh: SentCookie::default(),
            legacy: SentCookie::default(),
        };
        let mut bytes = 0_usize;
        let mut pairs = 0_usize;
        headers.each(&COOKIE, &mut |line| {
            bytes = bytes.saturating_add(line.len());
            if bytes > MAX_COOKIE_BYTES || pairs > MAX_COOKIE_PAIRS {
                return;
            }
            for (index, pair) in pairs_of(line).enumerate() {
                pairs += 1;
                if pairs > MAX_COOKIE_PAIRS {
                    return;
                }
                let pair = match pair.strip_prefix(b" ") {
                    Some(pair) if index > 0 => pair,
                    _ => pair,
                };
                let mut parts = pair.splitn(2, |&byte| byte == b'=');
                let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
                    continue;
                };
                if name == access_name.as_bytes() {
                    found
                        .access
                        .add(|| PresentedToken::known(known, value).or_else(|| decoded(value)));
                } else if name == refresh_name.as_bytes() {
                    found.refresh.add(|| decoded(value));
                } else if name == LEGACY_COOKIE_NAME.as_bytes() {
                    // Nobody asks what it says.
                    found.legacy.count += 1;
                }
            }
        });
        if bytes > MAX_COOKIE_BYTES || pairs > MAX_COOKIE_PAIRS {
            return Err(TooManyCookies);
        }
        Ok(found)
    }
}

/// One of our cookies as a request carries it: how often, and the first of its values.
#[derive(Default)]
pub(crate) struct SentCookie {
    count: usize,
    first_value: Option<PresentedToken>,
}

impl SentCookie {
    fn add(&mut self, value: impl FnOnce() -> Option<PresentedToken>) {
        self.count += 1;
        if self.count == 1 {
            self.first_value = value();
        }
    }

    /// Whether the cookie was sent at all, be it empty or unreadable.
    pub(crate) fn is_present(&self) -> bool {
        self.count > 0
    }

    /// Whether it was sent more than once, which no server can resolve: the order of cookies means
    /// nothing (RFC 6265bis §5.8.3).
    pub(crate) fn is_duplicated(&self) -> bool {
        self.count > 1
    }

    /// The first value, decoded; `None` when there is none, or nothing that a token could be.
    pub(crate) fn token(&self) -> Option<&PresentedToken> {
        self.first_value.as_ref()
    }
}

impl std::fmt::Debug for SentCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SentCookie")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// A request carries more cookies than any browser sends to one host, so they were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyCookies;

/// What stands between semicolons.
fn pairs_of(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let end = memchr::memchr(b';', line);
        let (pair, after) = end.map_or((line, None), |end| {
            let (pair, after) = line.split_at(end);
            (pair, after.get(1..))
        });
        rest = after;
        Some(pair)
    })
}

/// A value, percent-decoded once; `None` when it is empty, longer than any token, or not made of the
/// octets that a cookie may have (RFC 6265bis §4.1.1).
///
/// A malformed escape leaves the text as it is (wire §4.2).
fn decoded(value: &[u8]) -> Option<PresentedToken> {
    if value.is_empty() || value.len() > MAX_VALUE_BYTES || !each_is(value, is_cookie_octet) {
        return None;
    }
    let raw = std::str::from_utf8(value).ok()?;
    let text = if has_only_whole_escapes(value) {
        percent_decode(value).decode_utf8()
    } else {
        Ok(Cow::Borrowed(raw))
    };
    Some(text.unwrap_or(Cow::Borrowed(raw)).into_owned().into())
}

fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2B | 0x2D..=0x3A | 0x3C..=0x5B | 0x5D..=0x7E)
}

fn has_only_whole_escapes(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value).all(|index| {
        let after = value.get(index + 1..);
        matches!(after, Some([high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

/// The most bytes of cookies that are read (security E6). Browsers keep at least 50 cookies for a
/// host, and servers in front of an application rarely let 16 KiB pass.
const MAX_COOKIE_BYTES: usize = 64 * 1024;

/// The most cookies that are read (security E6).
const MAX_COOKIE_PAIRS: usize = 1024;

/// The longest token with an escape for each of its bytes.
const MAX_VALUE_BYTES: usize = 3 * AccessToken::MAX_BYTES;

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn cookie_lines<const N: usize>(lines: [&[u8]; N]) -> HeaderMap {
        lines
            .into_iter()
            .map(|line| (COOKIE, HeaderValue::from_bytes(line).unwrap()))
            .collect()
    }

    fn read(headers: &HeaderMap) -> SessionCookies {
        SessionCookies::read(
            headers,
            "sAccessToken",
            "sRefreshToken",
            &VerifiedTokens::new(0),
        )
        .unwrap()
    }

    fn access_value(line: &str) -> Option<String> {
        let headers = cookie_lines([line.as_bytes()]);
        read(&headers)
            .access
            .token()
            .map(|token| token.text().to_owned())
    }

    /// E1, wire case 41: a second cookie of the name is seen, whichever stands first.
    #[test]
    fn a_duplicate_in_one_line_is_counted() {
        for line in [
            "sAccessToken=good; sAccessToken=evil",
            "sAccessToken=; a=b;sAccessToken=x",
        ] {
            let headers = cookie_lines([line.as_bytes()]);
            assert!(read(&headers).access.is_duplicated(), "{line}");
        }
    }

    /// E2: HTTP/2 clients split cookies over several lines, honestly or not.
    #[test]
    fn cookies_are_read_and_counted_over_all_lines() {
        let honest = cookie_lines([b"theme=dark", b"sAccessToken=abc", b"sRefreshToken=def"]);
        let cookies = read(&honest);
        assert_eq!(
            cookies.access.token().map(PresentedToken::text),
            Some("abc")
        );
        assert_eq!(
            cookies.refresh.token().map(PresentedToken::text),
            Some("def")
        );
        assert!(!cookies.access.is_duplicated());

        let tossed = cookie_lines([b"sAccessToken=good", b"sAccessToken=evil"]);
        assert!(read(&tossed).access.is_duplicated());
    }

    /// E3: names are compared byte by byte.
    #[test]
    fn a_name_that_only_looks_like_ours_is_not_ours() {
        for line in [
            "saccesstoken=x",
            "SACCESSTOKEN=x",
            "\"sAccessToken\"=x",
            "sAccessToken =x",
            "a=b;  sAccessToken=x",
            " sAccessToken=x",
            "\tsAccessToken=x",
            "sAccessToken\u{a0}=x",
            "%73AccessToken=x",
            "sAccessToken",
            "=sAccessToken=x",
            "$sAccessToken=x",
            "sAccessToken[=x",
        ] {
            let headers = cookie_lines([line.as_bytes()]);
            assert!(!read(&headers).access.is_present(), "{line:?}");
        }
    }

    /// E3: with a prefix configured, the variants that user agents treat alike are not ours.
    #[test]
    fn the_host_prefix_is_compared_byte_by_byte() {
        for line in [
            "__host-sAccessToken=x",
            "_[Host-sAccessToken=x",
            "%5F_Host-sAccessToken=x",
        ] {
            let headers = cookie_lines([line.as_bytes()]);
            let cookies = SessionCookies::read(
                &headers,
                "__Host-sAccessToken",
                "sRefreshToken",
                &VerifiedTokens::new(0),
            )
            .unwrap();
            assert!(!cookies.access.is_present(), "{line}");
        }
    }

    /// E4: a quote neither begins a value that may hold a semicolon nor belongs to one of ours.
    #[test]
    fn quotes_have_no_meaning() {
        let headers = cookie_lines([b"x=\"a; sAccessToken=evil; y=\"; sAccessToken=good"]);
        assert!(read(&headers).access.is_duplicated());
        assert_eq!(access_value("sAccessToken=\"abc\""), None);
    }

    /// E5: one round of decoding for values, none for names.
    #[test]
    fn a_value_is_decoded_once() {
        assert_eq!(access_value("sAccessToken=a%2Eb").as_deref(), Some("a.b"));
        assert_eq!(
            access_value("sAccessToken=a%252Eb").as_deref(),
            Some("a%2Eb")
        );
        assert_eq!(access_value("sAccessToken=a%2").as_deref(), Some("a%2"));
        assert_eq!(
            access_value("sAccessToken=a%zz%2E").as_deref(),
            Some("a%zz%2E")
        );
        assert_eq!(access_value("sAccessToken=%ff").as_deref(), Some("%ff"));
    }

    /// Wire case 46: what cannot be a cookie's value is no value, and still counts as sent.
    #[test]
    fn an_unreadable_value_counts_as_sent() {
        for line in [
            "sAccessToken=",
            "sAccessToken=a b",
            "sAccessToken=a,b",
            "sAccessToken=a\\b",
        ] {
            let headers = cookie_lines([line.as_bytes()]);
            assert_eq!(
                read(&headers).access.token().map(PresentedToken::text),
                None,
                "{line}"
            );
            assert!(read(&headers).access.is_present(), "{line}");
        }
        let headers = cookie_lines([b"sAccessToken=\xff\xfe"]);
        assert_eq!(
            read(&headers).access.token().map(PresentedToken::text),
            None
        );
    }

    /// E6: a value that is longer than any token is not kept, and counts as sent.
    #[test]
    fn a_value_beyond_the_limit_is_not_kept() {
        let line = |length| format!("sAccessToken={}; a=b", "x".repeat(length));
        let longest = access_value(&line(MAX_VALUE_BYTES)).unwrap();
        assert_eq!(longest.len(), MAX_VALUE_BYTES);
        let longer = line(MAX_VALUE_BYTES + 1);
        let once = cookie_lines([longer.as_bytes()]);
        assert_eq!(read(&once).access.token().map(PresentedToken::text), None);
        assert!(read(&once).access.is_present());
        let twice = cookie_lines([longer.as_bytes(), b"sAccessToken=short"]);
        assert!(read(&twice).access.is_duplicated());
        assert_eq!(read(&twice).access.token().map(PresentedToken::text), None);
    }

    /// E6: a cookie bomb is refused before it is taken apart, wherever our cookie stands in it.
    #[test]
    fn more_cookies_than_a_browser_sends_are_not_read() {
        let names = |headers: &HeaderMap| {
            SessionCookies::read(
                headers,
                "sAccessToken",
                "sRefreshToken",
                &VerifiedTokens::new(0),
            )
            .map(|_| ())
        };
        let many = cookie_lines([format!("sAccessToken=a{}", ";a=b".repeat(10_000)).as_bytes()]);
        assert_eq!(names(&many), Err(TooManyCookies));
        let long = format!("a={}", "x".repeat(4000));
        let large: HeaderMap = (0..50)
            .map(|_| (COOKIE, HeaderValue::try_from(&long).unwrap()))
            .collect();
        assert_eq!(names(&large), Err(TooManyCookies));
        let ordinary = cookie_lines([format!("sAccessToken=a{}", "; a=b".repeat(180)).as_bytes()]);
        assert_eq!(names(&ordinary), Ok(()));
    }

    proptest! {
        /// E6: whatever bytes arrive, reading ends and an honest cookie among honest ones is found.
        #[test]
        fn any_header_is_read_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                let headers: HeaderMap = [(COOKIE, value)].into_iter().collect();
                let cookies = read(&headers);
                let _token = cookies.access.token();
            }
        }

        /// E5: what we write is what we read back.
        #[test]
        fn a_written_value_is_read_back(value in "\\PC{1,60}") {
            let encoded = super::super::set_cookie::encode_component(&value);
            let line = format!("a=b; sAccessToken={encoded}; c=d");
            let headers = cookie_lines([line.as_bytes()]);
            let found = read(&headers).access.token().map(|token| token.text().to_owned());
            prop_assert_eq!(found, Some(value));
        }
    }
}
