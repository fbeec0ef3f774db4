//! `PresentedRequest`: which route a request is for, its credentials and its anti-CSRF headers.

use std::fmt;

use http::Method;
use zeroize::Zeroizing;

use crate::{
    config::{AntiCsrf, SessionConfig},
    error::{ClientTokens, SessionError},
    http::{
        HeaderLines, TransferMethod, credentials::Credentials, names::RID, refusal::Challenge,
        request_headers::RequestHeaders, routes::Route,
    },
    verify::{PresentedAntiCsrf, VerifiedTokens},
};

/// What a request presents, read once when its exchange begins, so that nothing later needs the
/// framework's request.
///
/// Its tokens are copied, as far as they can be tokens at all; a request without any copies nothing.
pub(super) struct PresentedRequest {
    /// Which of our own routes it is for.
    pub(super) route: Option<Route>,
    /// What to ask the client for when it is refused.
    pub(super) challenge: Challenge,
    carries_session: bool,
    checks_anti_csrf_by_default: bool,
    has_custom_header: bool,
    anti_csrf_token: Option<Zeroizing<String>>,
    auth_mode: Option<TransferMethod>,
    credentials: Option<Credentials>,
}

impl PresentedRequest {
    /// Reads the head of a request.
    pub(super) fn read(
        config: &SessionConfig,
        known: &VerifiedTokens,
        method: &Method,
        path: &str,
        lines: &dyn HeaderLines,
    ) -> Self {
        let headers = RequestHeaders(lines);
        let credentials = Credentials::read(config, known, headers);
        let has_cookies = credentials.as_ref().is_some_and(Credentials::has_cookies);
        let shows_anti_csrf_token = has_cookies && config.anti_csrf() == AntiCsrf::ViaToken;
        Self {
            route: Route::of_request(config.app(), method, path),
            challenge: Challenge::of(config, headers),
            // Wire §6, row 1: a preflight or a trace has none.
            carries_session: !matches!(*method, Method::OPTIONS | Method::TRACE),
            checks_anti_csrf_by_default: *method != Method::GET,
            has_custom_header: headers.has(&RID),
            anti_csrf_token: shows_anti_csrf_token
                .then(|| headers.anti_csrf_token())
                .flatten(),
            auth_mode: headers.auth_mode(),
            credentials,
        }
    }

    /// Whether the request is of a kind that carries a session.
    pub(super) fn carries_session(&self) -> bool {
        self.carries_session
    }

    /// Whether the anti-CSRF check is made unless the route says otherwise: for every method but
    /// GET, so for HEAD too (wire §6).
    pub(super) fn checks_anti_csrf_by_default(&self) -> bool {
        self.checks_anti_csrf_by_default
    }

    /// How the client wants to hold its tokens, if it says so.
    pub(super) fn auth_mode(&self) -> Option<TransferMethod> {
        self.auth_mode
    }

    /// The request's tokens.
    ///
    /// # Errors
    ///
    /// Two `Authorization` headers or a cookie bomb leave nobody to believe, so the request is
    /// refused; the client keeps its tokens, which were not looked at.
    pub(super) fn credentials(&self) -> Result<&Credentials, SessionError> {
        self.credentials
            .as_ref()
            .ok_or(SessionError::Unauthorised(ClientTokens::Keep))
    }

    /// What the request has to show for `mode` when its token came by `method`; `None` when it
    /// lacks the header that no cross-site form can send (wire §9.3).
    ///
    /// A token from a header needs no check: no other site can make a browser send it (security
    /// E7).
    pub(super) fn anti_csrf(
        &self,
        method: TransferMethod,
        mode: AntiCsrf,
    ) -> Option<PresentedAntiCsrf<'_>> {
        match (method, mode) {
            (TransferMethod::Header, _) | (TransferMethod::Cookie, AntiCsrf::None) => {
                Some(PresentedAntiCsrf::NotChecked)
            }
            (TransferMethod::Cookie, AntiCsrf::ViaCustomHeader) => self
                .has_custom_header
                .then_some(PresentedAntiCsrf::NotChecked),
            (TransferMethod::Cookie, AntiCsrf::ViaToken) => {
                let token = self.anti_csrf_token.as_ref().map(|token| token.as_str());
                Some(PresentedAntiCsrf::Token(token))
            }
        }
    }
}

/// Without what its headers say.
impl fmt::Debug for PresentedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedRequest")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::AppInfo;
    use crate::http::{request_headers::MAX_ANTI_CSRF_BYTES, tests::headers};

    fn presented(method: &Method, headers: &HeaderMap) -> PresentedRequest {
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        let config = SessionConfig::builder(app).anti_csrf(AntiCsrf::ViaToken);
        let known = VerifiedTokens::new(0);
        PresentedRequest::read(&config.build().unwrap(), &known, method, "/", headers)
    }

    fn anti_csrf(headers: &HeaderMap, method: TransferMethod, mode: AntiCsrf) -> String {
        let request = presented(&Method::POST, headers);
        let answer = match request.anti_csrf(method, mode) {
            None => "refused",
            Some(PresentedAntiCsrf::NotChecked) => "not checked",
            Some(PresentedAntiCsrf::Token(token)) => token.unwrap_or("no token"),
        };
        answer.to_owned()
    }

    /// E14, wire cases 49, 50: what a cross-site form cannot send is asked of cookies alone.
    #[test]
    fn a_cookie_needs_what_a_cross_site_form_cannot_send() {
        let (cookie, header) = (TransferMethod::Cookie, TransferMethod::Header);
        let our_cookie: (_, &[u8]) = ("cookie", b"sAccessToken=abc");
        let bare = headers([
            our_cookie,
            ("origin", b"null"),
            ("sec-fetch-site", b"cross-site"),
        ]);
        assert_eq!(
            anti_csrf(&bare, cookie, AntiCsrf::ViaCustomHeader),
            "refused"
        );
        assert_eq!(anti_csrf(&bare, cookie, AntiCsrf::ViaToken), "no token");
        assert_eq!(anti_csrf(&bare, cookie, AntiCsrf::None), "not checked");
        assert_eq!(
            anti_csrf(&bare, header, AntiCsrf::ViaCustomHeader),
            "not checked"
        );
        assert_eq!(anti_csrf(&bare, header, AntiCsrf::ViaToken), "not checked");

        let full = headers([our_cookie, ("anti-csrf", b"abc"), ("rid", b"")]);
        assert_eq!(
            anti_csrf(&full, cookie, AntiCsrf::ViaCustomHeader),
            "not checked"
        );
        assert_eq!(anti_csrf(&full, cookie, AntiCsrf::ViaToken), "abc");

        let two = headers([our_cookie, ("anti-csrf", b"abc"), ("anti-csrf", b"abc")]);
        assert_eq!(anti_csrf(&two, cookie, AntiCsrf::ViaToken), "no token");

        let longest = [b'a'; MAX_ANTI_CSRF_BYTES];
        let kept = headers([our_cookie, ("anti-csrf", &longest)]);
        assert_eq!(
            anti_csrf(&kept, cookie, AntiCsrf::ViaToken).len(),
            longest.len()
        );
        let longer = [b'a'; MAX_ANTI_CSRF_BYTES + 1];
        let dropped = headers([our_cookie, ("anti-csrf", &longer)]);
        assert_eq!(anti_csrf(&dropped, cookie, AntiCsrf::ViaToken), "no token");
    }

    /// K1: what a request's tokens are is in no log.
    #[test]
    fn a_debugged_request_shows_no_headers() {
        let headers = headers([("authorization", b"Bearer secret"), ("cookie", b"a=secret")]);
        let debugged = format!("{:?}", presented(&Method::POST, &headers));
        assert!(!debugged.contains("secret"), "{debugged}");
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
            let request = presented(&method, &overriding);
            assert!(request.checks_anti_csrf_by_default(), "{method}");
        }
        let none = HeaderMap::new();
        assert!(!presented(&Method::GET, &none).checks_anti_csrf_by_default());
    }
}
