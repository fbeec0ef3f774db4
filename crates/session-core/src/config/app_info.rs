//! Where the application is reached: its API, its website and the paths of the built-in routes.

use super::{
    ConfigError, defaults,
    host::{Host, Site},
    normalise::{self, InvalidPath, Origin, Scheme},
};

/// Where the API and the website are reached, as the application writes it.
///
/// # Examples
///
/// ```
/// use session_core::config::{AppInfo, SessionConfig};
///
/// let app = AppInfo::new("api.example.com", "https://example.com").api_base_path("/v1/auth");
/// let config = SessionConfig::builder(app).build()?;
/// assert_eq!(config.app().issuer(), "https://api.example.com/v1/auth");
/// # Ok::<(), session_core::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct AppInfo {
    api_domain: String,
    website_domain: String,
    api_base_path: String,
    api_gateway_path: String,
}

impl AppInfo {
    /// The API at `api_domain` and the pages that call it at `website_domain`.
    ///
    /// A domain is a scheme, a host and perhaps a port: what browsers see, in front of any proxy.
    /// The rest of a URL is dropped; without a scheme, `http` is assumed for `localhost` and
    /// addresses and `https` for all others (wire §9.1).
    pub fn new(api_domain: impl Into<String>, website_domain: impl Into<String>) -> Self {
        Self {
            api_domain: api_domain.into(),
            website_domain: website_domain.into(),
            api_base_path: defaults::API_BASE_PATH.to_owned(),
            api_gateway_path: String::new(),
        }
    }

    /// Below which path the built-in routes are: `/auth` unless set, `""` for the root.
    pub fn api_base_path(mut self, path: impl Into<String>) -> Self {
        self.api_base_path = path.into();
        self
    }

    /// The path that a gateway puts in front of the base path: none unless set.
    pub fn api_gateway_path(mut self, path: impl Into<String>) -> Self {
        self.api_gateway_path = path.into();
        self
    }

    pub(super) fn normalised(&self) -> Result<NormalisedAppInfo, ConfigError> {
        let (api, api_site) = domain("api_domain", &self.api_domain)?;
        let (website, website_site) = domain("website_domain", &self.website_domain)?;
        let api_base_path = path("api_base_path", &self.api_base_path)?;
        let base_path = path("api_gateway_path", &self.api_gateway_path)? + &api_base_path;
        let longest = base_path.len() + defaults::DISCOVERY_PATH.len();
        if longest > defaults::COOKIE_ATTRIBUTE_MAX_BYTES {
            return Err(ConfigError::InvalidPath {
                setting: "api_base_path",
                value: self.api_base_path.clone(),
                reason: InvalidPath::TooLong {
                    length: longest,
                    limit: defaults::COOKIE_ATTRIBUTE_MAX_BYTES,
                },
            });
        }
        Ok(NormalisedAppInfo {
            api_domain: api.to_string(),
            website_domain: website.to_string(),
            issuer: format!("{api}{base_path}"),
            jwks_uri: format!("{api}{base_path}{}", defaults::JWKS_PATH),
            refresh_path: base_path.clone() + defaults::REFRESH_PATH,
            sign_out_path: base_path.clone() + defaults::SIGN_OUT_PATH,
            jwks_path: base_path.clone() + defaults::JWKS_PATH,
            discovery_path: base_path.clone() + defaults::DISCOVERY_PATH,
            api_base_path,
            base_path,
            same_site: api_site == website_site && api.scheme() == website.scheme(),
            both_local: api.host().is_local() && website.host().is_local(),
            api,
        })
    }
}

/// Where the API and the website are reached, in the one form that is compared and sent.
#[derive(Debug, Clone)]
pub struct NormalisedAppInfo {
    api: Origin,
    api_domain: String,
    website_domain: String,
    api_base_path: String,
    base_path: String,
    issuer: String,
    jwks_uri: String,
    refresh_path: String,
    sign_out_path: String,
    jwks_path: String,
    discovery_path: String,
    same_site: bool,
    both_local: bool,
}

impl NormalisedAppInfo {
    /// The API's origin, such as `https://api.example.com`.
    pub fn api_domain(&self) -> &str {
        &self.api_domain
    }

    /// The website's origin, such as `https://example.com`.
    pub fn website_domain(&self) -> &str {
        &self.website_domain
    }

    /// What the paths of the built-in routes begin with, such as `/auth`; `""` for the root.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The base path without what a gateway puts in front of it.
    pub fn api_base_path(&self) -> &str {
        &self.api_base_path
    }

    /// Who issues the tokens: the API's origin and the base path (wire §1.2).
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the public keys are fetched from (wire §5).
    pub fn jwks_uri(&self) -> &str {
        &self.jwks_uri
    }

    /// The path of the refresh route, which is also the path of the refresh cookie (wire §4.2).
    pub fn refresh_path(&self) -> &str {
        &self.refresh_path
    }

    /// The path of the sign-out route.
    pub fn sign_out_path(&self) -> &str {
        &self.sign_out_path
    }

    /// The path of the public keys.
    pub fn jwks_path(&self) -> &str {
        &self.jwks_path
    }

    /// The path of the discovery document.
    pub fn discovery_path(&self) -> &str {
        &self.discovery_path
    }

    /// Whether browsers count a request from the website to the API as same-site: registrable
    /// domain and scheme are equal (wire §9.2).
    pub fn is_same_site(&self) -> bool {
        self.same_site
    }

    /// Whether the API and the website are both on `localhost` or an address.
    pub(super) fn is_local(&self) -> bool {
        self.both_local
    }

    pub(super) fn is_https(&self) -> bool {
        self.api.scheme() == Scheme::Https
    }

    pub(super) fn api_host(&self) -> &Host {
        self.api.host()
    }
}

fn domain(setting: &'static str, value: &str) -> Result<(Origin, Site), ConfigError> {
    let origin = Origin::parse(value).map_err(|reason| ConfigError::InvalidDomain {
        setting,
        value: value.to_owned(),
        reason,
    })?;
    let site = origin
        .host()
        .site()
        .ok_or_else(|| ConfigError::PublicSuffix {
            setting,
            host: origin.host().to_string(),
        })?;
    Ok((origin, site))
}

pub(super) fn path(setting: &'static str, value: &str) -> Result<String, ConfigError> {
    normalise::path(value).map_err(|reason| ConfigError::InvalidPath {
        setting,
        value: value.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(api: &str, website: &str) -> NormalisedAppInfo {
        AppInfo::new(api, website).normalised().unwrap()
    }

    /// Wire §1.2, §5: issuer and routes follow from domain, gateway and base path.
    #[test]
    fn the_routes_follow_from_the_gateway_and_the_base_path() {
        let app = AppInfo::new("API.example.com/", "example.com")
            .api_gateway_path("gateway/")
            .api_base_path("/v1/auth/")
            .normalised()
            .unwrap();
        assert_eq!(app.api_domain(), "https://api.example.com");
        assert_eq!(app.website_domain(), "https://example.com");
        assert_eq!(app.base_path(), "/gateway/v1/auth");
        assert_eq!(app.issuer(), "https://api.example.com/gateway/v1/auth");
        assert_eq!(app.refresh_path(), "/gateway/v1/auth/session/refresh");
        assert_eq!(app.sign_out_path(), "/gateway/v1/auth/signout");
        assert_eq!(app.jwks_path(), "/gateway/v1/auth/jwt/jwks.json");
        assert_eq!(
            app.jwks_uri(),
            "https://api.example.com/gateway/v1/auth/jwt/jwks.json"
        );
        assert_eq!(
            app.discovery_path(),
            "/gateway/v1/auth/.well-known/openid-configuration"
        );
    }

    /// Wire case 34: `/custom/a` and `/` as base paths.
    #[test]
    fn the_refresh_path_is_below_the_base_path() {
        for (base, refresh) in [
            ("/custom/a", "/custom/a/session/refresh"),
            ("/", "/session/refresh"),
            ("", "/session/refresh"),
        ] {
            let app = AppInfo::new("https://api.example.com", "https://example.com")
                .api_base_path(base)
                .normalised()
                .unwrap();
            assert_eq!(app.refresh_path(), refresh);
        }
    }

    /// Wire case 69, §9.2: same site means one registrable domain and one scheme.
    #[test]
    fn sites_are_told_apart_by_registrable_domain_and_scheme() {
        assert!(app("https://api.x.io", "https://x.io").is_same_site());
        assert!(app("http://127.0.0.1:3000", "http://127.0.0.1:9000").is_same_site());
        assert!(app("http://[::1]:3000", "http://localhost:9000").is_same_site());
        assert!(!app("https://api.x.com", "https://x.io").is_same_site());
        assert!(!app("https://localhost", "http://localhost:3000").is_same_site());
        assert!(!app("https://a.github.io", "https://b.github.io").is_same_site());
        assert!(!app("https://localhost.evil.example", "https://localhost").is_same_site());
    }

    /// L5, REQ-32: what cannot be a domain or fit into a cookie's path is named.
    #[test]
    fn the_setting_at_fault_is_named() {
        let error = AppInfo::new("https://github.io", "https://example.com").normalised();
        assert!(matches!(
            error,
            Err(ConfigError::PublicSuffix {
                setting: "api_domain",
                ..
            })
        ));
        let error = AppInfo::new("https://api.example.com", "https://*.example.com").normalised();
        assert!(matches!(
            error,
            Err(ConfigError::InvalidDomain {
                setting: "website_domain",
                ..
            })
        ));
        let error = AppInfo::new("https://api.example.com", "https://example.com")
            .api_base_path("/a".repeat(600))
            .normalised();
        assert!(matches!(
            error,
            Err(ConfigError::InvalidPath {
                setting: "api_base_path",
                ..
            })
        ));
        let error = AppInfo::new("https://api.example.com", "https://example.com")
            .api_gateway_path("/a;b")
            .normalised();
        assert!(matches!(
            error,
            Err(ConfigError::InvalidPath {
                setting: "api_gateway_path",
                ..
            })
        ));
    }
}
