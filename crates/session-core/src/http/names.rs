//! The header names of the wire contract (wire §4.1), and what a CORS layer needs to know of them.

use http::{HeaderName, header};

/// Carries the front end's readable copy of the access token, or `remove`.
pub(crate) const FRONT_TOKEN: HeaderName = HeaderName::from_static("front-token");
/// Carries the access token in header mode; empty clears it.
pub(crate) const ST_ACCESS_TOKEN: HeaderName = HeaderName::from_static("st-access-token");
/// Carries the refresh token in header mode; empty clears it.
pub(crate) const ST_REFRESH_TOKEN: HeaderName = HeaderName::from_static("st-refresh-token");
/// Carries the anti-CSRF token both ways.
pub(crate) const ANTI_CSRF: HeaderName = HeaderName::from_static("anti-csrf");
/// Whether a client wants its tokens in cookies or in headers.
pub(crate) const ST_AUTH_MODE: HeaderName = HeaderName::from_static("st-auth-mode");
/// A header that no cross-site form can send: its presence is the anti-CSRF check.
pub(crate) const RID: HeaderName = HeaderName::from_static("rid");
const FDI_VERSION: HeaderName = HeaderName::from_static("fdi-version");

/// The request headers that a cross-origin front end sends, for `Access-Control-Allow-Headers`
/// (wire §4.5). An application adds its own, such as `content-type`.
pub const CORS_REQUEST_HEADERS: [HeaderName; 5] = [
    RID,
    FDI_VERSION,
    ANTI_CSRF,
    header::AUTHORIZATION,
    ST_AUTH_MODE,
];

/// The response headers that a cross-origin front end must be able to read, for
/// `Access-Control-Expose-Headers` (wire §4.4).
///
/// Needed only where a CORS layer around the session layer writes a list of its own: most replace
/// the one that is there already.
pub const CORS_RESPONSE_HEADERS: [HeaderName; 4] =
    [FRONT_TOKEN, ST_ACCESS_TOKEN, ST_REFRESH_TOKEN, ANTI_CSRF];
