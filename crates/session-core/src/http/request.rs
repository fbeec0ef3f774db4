//! What a request says: its credentials, the transfer method it wants, its anti-CSRF headers.

use http::{HeaderMap, Method, header::AUTHORIZATION};

use crate::{
    config::AntiCsrf,
    http::{
        TransferMethod,
        names::{ANTI_CSRF, RID, ST_AUTH_MODE},
    },
    verify::PresentedAntiCsrf,
};

/// The head of a request, borrowed from the framework.
///
/// `path` is the path as the client sent it, without the query: where a framework strips prefixes
/// while it routes, the path before that.
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

impl<'a> RequestView<'a> {
    /// The head of a request.
    pub fn new(method: &'a Method, path: &'a str, headers: &'a HeaderMap) -> Self {
        Self {
            method,
            path,
            headers,
        }
    }

    /// Whether the request is of a kind that carries no session: a preflight or a trace (wire §6,
    /// row 1).
    pub(crate) fn is_without_session(&self) -> bool {
        matches!(*self.method, Method::OPTIONS | Method::TRACE)
    }

    /// Whether the anti-CSRF check is made unless the route says otherwise: for every method but
    /// GET, so for HEAD too (wire §6).
    pub(crate) fn checks_anti_csrf_by_default(&self) -> bool {
        self.method != Method::GET
    }

    /// The `Authorization` header, as far as it is a bearer token (wire §4.6, RFC 6750 §2.1).
    pub(crate) fn bearer(&self) -> Bearer<'a> {
        let mut lines = self.headers.get_all(AUTHORIZATION).iter();
        let Some(line) = lines.next() else {
            return Bearer::Absent;
        };
        if lines.next().is_some() {
            return Bearer::Repeated;
        }
        let Some((scheme, rest)) = line.as_bytes().split_at_checked(SCHEME.len()) else {
            return Bearer::Absent;
        };
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Bearer::Absent;
        }
        match std::str::from_utf8(rest.trim_ascii()) {
            Ok("") => Bearer::Absent,
            Ok(token) if is_b64token(token) => Bearer::Token(token),
            _ => Bearer::Malformed,
        }
    }

    /// How the client wants to hold its tokens, if it says so.
    pub(crate) fn auth_mode(&self) -> Option<TransferMethod> {
        let mode = self.headers.get(ST_AUTH_MODE)?.as_bytes();
        if mode.eq_ignore_ascii_case(b"cookie") {
            Some(TransferMethod::Cookie)
        } else if mode.eq_ignore_ascii_case(b"header") {
            Some(TransferMethod::Header)
        } else {
            None
        }
    }

    /// What the request has to show for `mode` when its token came by `method`; `None` when it
    /// lacks the header that no cross-site form can send (wire §9.3).
    ///
    /// A token from a header needs no check: no other site can make a browser send it (security
    /// E7).
    pub(crate) fn presented_anti_csrf(
        &self,
        method: TransferMethod,
        mode: AntiCsrf,
    ) -> Option<PresentedAntiCsrf<'a>> {
        match (method, mode) {
            (TransferMethod::Header, _) | (TransferMethod::Cookie, AntiCsrf::None) => {
                Some(PresentedAntiCsrf::NotChecked)
            }
            (TransferMethod::Cookie, AntiCsrf::ViaCustomHeader) => self
                .headers
                .contains_key(RID)
                .then_some(PresentedAntiCsrf::NotChecked),
            (TransferMethod::Cookie, AntiCsrf::ViaToken) => {
                Some(PresentedAntiCsrf::Token(self.anti_csrf_token()))
            }
        }
    }

    /// The anti-CSRF token; none when there are two.
    fn anti_csrf_token(&self) -> Option<&'a str> {
        let mut lines = self.headers.get_all(ANTI_CSRF).iter();
        let first = lines.next().filter(|_| lines.next().is_none())?;
        first.to_str().ok()
    }
}

/// What the `Authorization` header holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer<'a> {
    /// No bearer token: no header, another scheme or nothing after the scheme.
    Absent,
    /// A token, ours or not.
    Token(&'a str),
    /// Something after the scheme that is no token (security E8).
    Malformed,
    /// More than one header, so nobody can say who is asking (security E8).
    Repeated,
}

impl Bearer<'_> {
    /// Whether the client sent something as a bearer token, ours or not.
    pub(crate) fn is_present(self) -> bool {
        matches!(self, Self::Token(_) | Self::Malformed)
    }
}

/// `b64token` of RFC 6750 §2.1.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

const SCHEME: &[u8] = b"bearer ";

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers<const N: usize>(lines: [(&'static str, &[u8]); N]) -> HeaderMap {
        lines
            .into_iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_bytes(value).unwrap(),
                )
            })
            .collect()
    }

    fn view(headers: &HeaderMap) -> RequestView<'_> {
        RequestView::new(&Method::POST, "/", headers)
    }

    fn name(bearer: Bearer<'_>) -> &str {
        match bearer {
            Bearer::Absent => "absent",
            Bearer::Token(token) => token,
            Bearer::Malformed => "malformed",
            Bearer::Repeated => "repeated",
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
            assert_eq!(name(view(&headers).bearer()), expected, "{line:?}");
        }
        assert_eq!(name(view(&HeaderMap::new()).bearer()), "absent");
    }

    /// E8: two headers name two callers, so neither is believed.
    #[test]
    fn two_authorization_headers_are_ambiguous() {
        let headers = headers([
            ("authorization", b"Bearer a"),
            ("authorization", b"Basic b"),
        ]);
        assert_eq!(name(view(&headers).bearer()), "repeated");
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
            assert_eq!(view(&headers).auth_mode(), expected, "{value:?}");
        }
    }

    fn presented(headers: &HeaderMap, method: TransferMethod, mode: AntiCsrf) -> &str {
        match view(headers).presented_anti_csrf(method, mode) {
            None => "refused",
            Some(PresentedAntiCsrf::NotChecked) => "not checked",
            Some(PresentedAntiCsrf::Token(token)) => token.unwrap_or("no token"),
        }
    }

    /// E14, wire cases 49, 50: what a cross-site form cannot send is asked of cookies alone.
    #[test]
    fn a_cookie_needs_what_a_cross_site_form_cannot_send() {
        let (cookie, header) = (TransferMethod::Cookie, TransferMethod::Header);
        let bare = headers([("origin", b"null"), ("sec-fetch-site", b"cross-site")]);
        assert_eq!(
            presented(&bare, cookie, AntiCsrf::ViaCustomHeader),
            "refused"
        );
        assert_eq!(presented(&bare, cookie, AntiCsrf::ViaToken), "no token");
        assert_eq!(presented(&bare, cookie, AntiCsrf::None), "not checked");
        assert_eq!(
            presented(&bare, header, AntiCsrf::ViaCustomHeader),
            "not checked"
        );
        assert_eq!(presented(&bare, header, AntiCsrf::ViaToken), "not checked");

        let full = headers([("anti-csrf", b"abc"), ("rid", b"")]);
        assert_eq!(
            presented(&full, cookie, AntiCsrf::ViaCustomHeader),
            "not checked"
        );
        assert_eq!(presented(&full, cookie, AntiCsrf::ViaToken), "abc");

        let two = headers([("anti-csrf", b"abc"), ("anti-csrf", b"abc")]);
        assert_eq!(presented(&two, cookie, AntiCsrf::ViaToken), "no token");
    }

    /// E14: every method but GET is checked, however it is spelt; method override headers do not
    /// count.
    #[test]
    fn only_get_goes_unchecked() {
        let overriding = headers([("x-http-method-override", b"GET")]);
        for method in [
            "POST", "PUT", "PATCH", "DELETE", "HEAD", "get", "post", "QUERY",
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let view = RequestView::new(&method, "/", &overriding);
            assert!(view.checks_anti_csrf_by_default(), "{method}");
        }
        let none = HeaderMap::new();
        assert!(!RequestView::new(&Method::GET, "/", &none).checks_anti_csrf_by_default());
    }
}
