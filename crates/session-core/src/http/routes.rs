//! Which requests are ours to answer (wire §5).

use http::Method;

use crate::{
    config::{
        NormalisedAppInfo,
        defaults::{DISCOVERY_PATH, JWKS_PATH, REFRESH_PATH, SIGN_OUT_PATH},
    },
    ids::TenantId,
};

/// A request that is answered here and not by the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Exchanges a refresh token for the next tokens.
    Refresh,
    /// Ends the session.
    SignOut,
    /// The public keys.
    Jwks,
    /// The OpenID discovery document.
    Discovery,
}

impl Route {
    /// The route that a request is for, if any, with or without the path that a gateway puts in
    /// front and usually takes away again.
    pub(crate) fn of_request(app: &NormalisedAppInfo, method: &Method, path: &str) -> Option<Self> {
        Self::of(app.base_path(), method, path)
            .or_else(|| Self::of(app.api_base_path(), method, path))
    }

    /// The route that `method` and `path` name below `base_path`, if any.
    ///
    /// One tenant segment may follow the base and one slash the whole. Everything is compared as
    /// it was sent: case counts and escapes are not decoded (wire case 74).
    fn of(base_path: &str, method: &Method, path: &str) -> Option<Self> {
        let below = path.strip_prefix(base_path)?;
        let below = below.strip_suffix('/').unwrap_or(below);
        Self::exactly(method, below).or_else(|| {
            let (tenant, _) = below.strip_prefix('/')?.split_once('/')?;
            TenantId::try_from(tenant).ok()?;
            Self::exactly(method, below.strip_prefix('/')?.strip_prefix(tenant)?)
        })
    }

    fn exactly(method: &Method, below: &str) -> Option<Self> {
        match (method, below) {
            (&Method::POST, REFRESH_PATH) => Some(Self::Refresh),
            (&Method::POST, SIGN_OUT_PATH) => Some(Self::SignOut),
            (&Method::GET, JWKS_PATH) => Some(Self::Jwks),
            (&Method::GET, DISCOVERY_PATH) => Some(Self::Discovery),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AppInfo, SessionConfig};

    /// Wire §5: a gateway takes its path away before the application sees it, or leaves it.
    #[test]
    fn a_route_is_found_behind_a_gateway_that_strips_its_path() {
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        let config = SessionConfig::builder(app.api_gateway_path("/gateway"))
            .build()
            .unwrap();
        for path in ["/gateway/auth/session/refresh", "/auth/session/refresh"] {
            let route = Route::of_request(config.app(), &Method::POST, path);
            assert_eq!(route, Some(Route::Refresh), "{path}");
        }
    }

    /// Wire case 74: a trailing slash and a tenant are ours, another case or method is not.
    #[test]
    fn a_route_is_found_exactly_or_below_a_tenant() {
        let post = |path| Route::of("/auth", &Method::POST, path);
        for path in [
            "/auth/session/refresh",
            "/auth/session/refresh/",
            "/auth/t1/session/refresh",
            "/auth/t-1/session/refresh/",
            "/auth/session/session/refresh",
        ] {
            assert_eq!(post(path), Some(Route::Refresh), "{path}");
        }
        for path in [
            "/Auth/session/refresh",
            "/auth/Session/refresh",
            "/auth/session/refresh//",
            "/auth//session/refresh",
            "/auth/t_1/session/refresh",
            "/auth/a/b/session/refresh",
            "/auth/session%2Frefresh",
            "/x/auth/session/refresh",
            "/authsession/refresh",
            "/auth",
            "/auth/",
            "/",
            "",
        ] {
            assert_eq!(post(path), None, "{path}");
        }
        assert_eq!(post("/auth/signout"), Some(Route::SignOut));
        assert_eq!(post("/auth/t1/signout/"), Some(Route::SignOut));
    }

    /// E15: a link or an image cannot refresh or sign out.
    #[test]
    fn only_a_post_refreshes_or_signs_out() {
        for method in [
            Method::GET,
            Method::HEAD,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
        ] {
            assert_eq!(
                Route::of("/auth", &method, "/auth/session/refresh"),
                None,
                "{method}"
            );
            assert_eq!(
                Route::of("/auth", &method, "/auth/signout"),
                None,
                "{method}"
            );
        }
        let lower = Method::from_bytes(b"post").unwrap();
        assert_eq!(Route::of("/auth", &lower, "/auth/signout"), None);
    }

    /// Wire case 62: the documents are read with GET.
    #[test]
    fn the_documents_are_found() {
        let get = |path| Route::of("/auth", &Method::GET, path);
        assert_eq!(get("/auth/jwt/jwks.json"), Some(Route::Jwks));
        assert_eq!(
            get("/auth/.well-known/openid-configuration"),
            Some(Route::Discovery)
        );
        assert_eq!(
            Route::of("/auth", &Method::POST, "/auth/jwt/jwks.json"),
            None
        );
    }

    /// Wire case 34: the base path may be empty or deep.
    #[test]
    fn any_base_path_works() {
        assert_eq!(
            Route::of("", &Method::POST, "/session/refresh"),
            Some(Route::Refresh)
        );
        assert_eq!(
            Route::of("", &Method::POST, "/t1/signout"),
            Some(Route::SignOut)
        );
        assert_eq!(
            Route::of(
                "/gateway/custom/a",
                &Method::POST,
                "/gateway/custom/a/session/refresh"
            ),
            Some(Route::Refresh)
        );
    }
}
