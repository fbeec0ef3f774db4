//! The headers of a request, read where the framework keeps them.

use http::{HeaderName, header::AUTHORIZATION};
use zeroize::Zeroizing;

use crate::{
    http::{
        HeaderLines, TransferMethod,
        names::{ANTI_CSRF, ST_AUTH_MODE},
        presented_token::{PresentedToken, each_is},
    },
    token::AccessToken,
    verify::VerifiedTokens,
};

/// The headers of a request.
#[derive(Clone, Copy)]
pub(super) struct RequestHeaders<'a>(pub(super) &'a dyn HeaderLines);

impl<'a> RequestHeaders<'a> {
    /// The `Authorization` header, as far as it is a bearer token (wire §4.6, RFC 6750 §2.1).
    pub(super) fn bearer(self, known: &VerifiedTokens) -> Bearer {
        let line = match self.first_of(&AUTHORIZATION) {
            (None, _) => return Bearer::Absent,
            (Some(line), 1) => line,
            (Some(_), _) => return Bearer::Repeated,
        };
        let Some((scheme, rest)) = line.split_at_checked(SCHEME.len()) else {
            return Bearer::Absent;
        };
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Bearer::Absent;
        }
        let rest = rest.trim_ascii();
        if let Some(known) = PresentedToken::known(known, rest) {
            return Bearer::Token(known);
        }
        match std::str::from_utf8(rest) {
            Ok("") => Bearer::Absent,
            Ok(token) if token.len() <= AccessToken::MAX_BYTES && is_b64token(token) => {
                Bearer::Token(token.to_owned().into())
            }
            _ => Bearer::Malformed,
        }
    }

    /// How the client wants to hold its tokens, if it says so.
    pub(super) fn auth_mode(self) -> Option<TransferMethod> {
        let (mode, _) = self.first_of(&ST_AUTH_MODE);
        let mode = mode?;
        if mode.eq_ignore_ascii_case(b"cookie") {
            Some(TransferMethod::Cookie)
        } else if mode.eq_ignore_ascii_case(b"header") {
            Some(TransferMethod::Header)
        } else {
            None
        }
    }

    /// The anti-CSRF token; none when there are two, or one that is longer than any of ours.
    pub(super) fn anti_csrf_token(self) -> Option<Zeroizing<String>> {
        let (first, count) = self.first_of(&ANTI_CSRF);
        let token = first.filter(|line| count == 1 && line.len() <= MAX_ANTI_CSRF_BYTES)?;
        let token = std::str::from_utf8(token).ok()?;
        Some(Zeroizing::new(token.to_owned()))
    }

    /// Whether there is a line of this name.
    pub(super) fn has(self, name: &HeaderName) -> bool {
        self.first_of(name).0.is_some()
    }

    /// The first line of this name, and how many there are.
    fn first_of(self, name: &HeaderName) -> (Option<&'a [u8]>, usize) {
        let (mut first, mut count) = (None, 0);
        self.0.each(name, &mut |line| {
            first.get_or_insert(line);
            count += 1;
        });
        (first, count)
    }
}

/// What the `Authorization` header holds.
pub(crate) enum Bearer {
    /// No bearer token: no header, another scheme or nothing after the scheme.
    Absent,
    /// What may be a token of ours.
    Token(PresentedToken),
    /// Something after the scheme that is no token of ours, whatever it is (security E8).
    Malformed,
    /// More than one header, so nobody can say who is asking (security E8).
    Repeated,
}

impl Bearer {
    /// Whether the client sent something as a bearer token, ours or not.
    pub(crate) fn is_present(&self) -> bool {
        matches!(self, Self::Token(_) | Self::Malformed)
    }
}

/// `b64token` of RFC 6750 §2.1.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=').as_bytes();
    !body.is_empty() && each_is(body, is_b64token_byte)
}

fn is_b64token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

const SCHEME: &[u8] = b"bearer ";

/// More than any anti-CSRF token of ours has.
pub(super) const MAX_ANTI_CSRF_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::http::tests::headers;

    fn bearer(headers: &HeaderMap) -> String {
        match RequestHeaders(headers).bearer(&VerifiedTokens::new(0)) {
            Bearer::Absent => "absent".to_owned(),
            Bearer::Token(token) => token.text().to_owned(),
            Bearer::Malformed => "malformed".to_owned(),
            Bearer::Repeated => "repeated".to_owned(),
        }
    }

    /// E8: the scheme in any case and any spaces around the token; nothing else passes for one.
    #[test]
    fn a_bearer_token_is_read_as_rfc_6750_says() {
        let cases: [(&[u8], &str); 15] = [
            (b"Bearer a.b-c_d~+/==", "a.b-c_d~+/=="),
            (b"bearer abc", "abc"),
            (b"BEARER abc", "abc"),
            (b"Bearer   abc  ", "abc"),
            (b"Bearer \tabc", "abc"),
            (b"Bearer\tabc", "absent"),
            (b"Bearerabc", "absent"),
            (b"Bearer", "absent"),
            (b"Bearer ", "absent"),
            (b"Basic YTpi", "absent"),
            (b"", "absent"),
            (b"Bearer a, Bearer b", "malformed"),
            (b"Bearer a b", "malformed"),
            (b"Bearer ===", "malformed"),
            (b"Bearer caf\xc3\xa9\xff", "malformed"),
        ];
        for (line, expected) in cases {
            let headers = headers([("authorization", line)]);
            assert_eq!(bearer(&headers), expected, "{line:?}");
        }
        assert_eq!(bearer(&HeaderMap::new()), "absent");
    }

    /// E8: what is longer than any token of ours is none, and still is what the client sent.
    #[test]
    fn a_bearer_token_beyond_the_limit_is_not_kept() {
        let line = |length| format!("Bearer {}", "a".repeat(length)).into_bytes();
        let longest = line(AccessToken::MAX_BYTES);
        let headers =
            |line| HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(line).unwrap())]);
        assert_eq!(bearer(&headers(&longest)).len(), AccessToken::MAX_BYTES);
        assert_eq!(
            bearer(&headers(&line(AccessToken::MAX_BYTES + 1))),
            "malformed"
        );
    }

    /// E8: two headers name two callers, so neither is believed.
    #[test]
    fn two_authorization_headers_are_ambiguous() {
        let headers = headers([
            ("authorization", b"Bearer a"),
            ("authorization", b"Basic b"),
        ]);
        assert_eq!(bearer(&headers), "repeated");
    }

    /// Wire §4.1: `st-auth-mode` is compared lower-cased.
    #[test]
    fn the_mode_is_compared_without_case() {
        for (value, expected) in [
            (&b"cookie"[..], Some(TransferMethod::Cookie)),
            (b"COOKIE", Some(TransferMethod::Cookie)),
            (b"Header", Some(TransferMethod::Header)),
            (b"any", None),
            (b"", None),
        ] {
            let headers = headers([("st-auth-mode", value)]);
            assert_eq!(RequestHeaders(&headers).auth_mode(), expected, "{value:?}");
        }
    }
}
