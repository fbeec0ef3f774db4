//! The cookies of a session: what is set, and what browsers make of it (wire §4.2, §9.2).

use std::time::Duration;

use super::{
    ConfigError, NormalisedAppInfo, app_info, defaults,
    normalise::{CookieDomain, InvalidPath},
    settings::{Settings, TokenTransfer},
};

/// Which requests from other sites a browser sends the cookies with (RFC 6265bis §5.6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum SameSite {
    /// None at all.
    Strict,
    /// Only top-level navigations.
    Lax,
    /// All of them. Browsers accept it together with `Secure` only.
    None,
}

impl SameSite {
    /// The value of the attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// Whether cookies travel over `https` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum CookieSecurity {
    /// Over `https` only.
    Secure,
    /// Over `http` as well; for development.
    Insecure,
}

/// A prefix that makes browsers hold a cookie to its rules (RFC 6265bis §4.1.3, REQ-36).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CookiePrefix {
    /// No prefix: the names that the wire format documents.
    #[default]
    Plain,
    /// `__Secure-` on both cookies: no `http` page can set them.
    Secure,
    /// `__Host-` on the access cookie: no other host can set it, so a sibling domain cannot toss one
    /// at us (security E3). The refresh cookie has a path of its own, which `__Host-` forbids, and
    /// gets `__Secure-`.
    Host,
}

/// What a name cannot have if a cookie is to have the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCookieName {
    /// It is no token (RFC 6265 §4.1.1).
    #[error("it is not made of letters, digits and !#$%&'*+-.^_`|~")]
    NotAToken,
    /// It leaves too little of a cookie's 4096 bytes to the value.
    #[error("it is longer than 64 bytes")]
    TooLong,
    /// The browser SDK or an older format has a cookie of that name.
    #[error("the browser SDK uses it")]
    Reserved,
    /// A prefix that asks for `Secure`.
    #[error("its prefix needs Secure cookies")]
    PrefixNeedsSecure,
    /// `__Host-` beside a `Domain`.
    #[error("the prefix __Host- forbids cookie_domain")]
    PrefixForbidsDomain,
    /// `__Host-` beside a path other than `/`.
    #[error("the prefix __Host- needs the path /")]
    PrefixNeedsRootPath,
}

/// The cookies of a session, with everything that follows from other settings filled in.
#[derive(Debug, Clone)]
pub struct CookieSettings {
    access_name: String,
    refresh_name: String,
    domain: Option<String>,
    older_domain: Option<String>,
    same_site: SameSite,
    security: CookieSecurity,
    access_path: String,
    refresh_path: String,
    access_max_age: Duration,
}

impl CookieSettings {
    pub(super) fn new(app: &NormalisedAppInfo, settings: &Settings) -> Result<Self, ConfigError> {
        let derived_same_site = if app.is_same_site() {
            SameSite::Lax
        } else {
            SameSite::None
        };
        let derived_security = if app.is_https() {
            CookieSecurity::Secure
        } else {
            CookieSecurity::Insecure
        };
        let (access_prefix, refresh_prefix) = match settings.cookie_prefix {
            CookiePrefix::Plain => ("", ""),
            CookiePrefix::Secure => (SECURE_PREFIX, SECURE_PREFIX),
            CookiePrefix::Host => (HOST_PREFIX, SECURE_PREFIX),
        };
        let cookies = Self {
            access_name: format!("{access_prefix}{}", settings.access_cookie_name),
            refresh_name: format!("{refresh_prefix}{}", settings.refresh_cookie_name),
            domain: domain(app, "cookie_domain", settings.cookie_domain.as_deref())?,
            older_domain: match settings.older_cookie_domain.as_deref() {
                Some("") => Some(String::new()),
                text => domain(app, "older_cookie_domain", text)?,
            },
            same_site: settings.cookie_same_site.unwrap_or(derived_same_site),
            security: settings.cookie_secure.unwrap_or(derived_security),
            access_path: access_path(&settings.access_token_path)?,
            refresh_path: app.refresh_path().to_owned(),
            access_max_age: settings.access_cookie_max_age,
        };
        cookies.judge(app, settings.token_transfer)?;
        Ok(cookies)
    }

    /// Refuses what a browser would silently drop (security L5, E11).
    fn judge(
        &self,
        app: &NormalisedAppInfo,
        token_transfer: TokenTransfer,
    ) -> Result<(), ConfigError> {
        if self.is_secure() && !app.is_https() {
            return Err(ConfigError::SecureCookiesOverHttp {
                api_domain: app.api_domain().to_owned(),
            });
        }
        let sets_cookies = token_transfer != TokenTransfer::Header;
        if sets_cookies && self.same_site == SameSite::None && !self.is_secure() && !app.is_local()
        {
            return Err(ConfigError::SameSiteNoneWithoutSecure {
                api_domain: app.api_domain().to_owned(),
                website_domain: app.website_domain().to_owned(),
            });
        }
        let undotted = |domain: &str| domain.trim_start_matches('.').to_owned();
        let current = undotted(self.domain.as_deref().unwrap_or_default());
        if self.older_domain.as_deref().map(undotted) == Some(current) {
            return Err(ConfigError::OlderCookieDomainInUse);
        }
        for (setting, name, path) in [
            ("access_cookie_name", &self.access_name, &self.access_path),
            (
                "refresh_cookie_name",
                &self.refresh_name,
                &self.refresh_path,
            ),
        ] {
            self.judge_name(name, path)
                .map_err(|reason| ConfigError::InvalidCookieName {
                    setting,
                    name: name.clone(),
                    reason,
                })?;
        }
        if self.access_name == self.refresh_name {
            return Err(ConfigError::CookieNamesEqual(self.access_name.clone()));
        }
        Ok(())
    }

    fn judge_name(&self, name: &str, path: &str) -> Result<(), InvalidCookieName> {
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(InvalidCookieName::NotAToken);
        }
        if name.len() > defaults::COOKIE_NAME_MAX_BYTES {
            return Err(InvalidCookieName::TooLong);
        }
        let mut reserved = defaults::FRONT_END_COOKIE_NAMES
            .iter()
            .chain([&defaults::LEGACY_COOKIE_NAME]);
        if reserved.any(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return Err(InvalidCookieName::Reserved);
        }
        // Browsers recognise a prefix in any case (RFC 6265bis §5.7).
        let prefixed = |prefix: &str| {
            name.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let host = prefixed(HOST_PREFIX);
        let secure = prefixed(SECURE_PREFIX) || prefixed(HTTP_PREFIX);
        if (host || secure) && !self.is_secure() {
            return Err(InvalidCookieName::PrefixNeedsSecure);
        }
        if host && self.domain.is_some() {
            return Err(InvalidCookieName::PrefixForbidsDomain);
        }
        if host && path != defaults::ACCESS_TOKEN_PATH {
            return Err(InvalidCookieName::PrefixNeedsRootPath);
        }
        Ok(())
    }

    /// The name of the access token's cookie, prefix included.
    pub fn access_name(&self) -> &str {
        &self.access_name
    }

    /// The name of the refresh token's cookie, prefix included.
    pub fn refresh_name(&self) -> &str {
        &self.refresh_name
    }

    /// The `Domain`; no such attribute when `None`.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// The `Domain` that cookies had before; `""` when they had no such attribute (wire §4.7).
    pub fn older_domain(&self) -> Option<&str> {
        self.older_domain.as_deref()
    }

    /// The `SameSite`.
    pub fn same_site(&self) -> SameSite {
        self.same_site
    }

    /// Whether there is a `Secure`.
    pub fn is_secure(&self) -> bool {
        self.security == CookieSecurity::Secure
    }

    /// The `Path` of the access cookie.
    pub fn access_path(&self) -> &str {
        &self.access_path
    }

    /// The `Path` of the refresh cookie: the refresh route and nothing else.
    pub fn refresh_path(&self) -> &str {
        &self.refresh_path
    }

    /// How long a browser keeps the access cookie. It outlives the token on purpose: that it is
    /// there tells that a refresh may help.
    pub fn access_max_age(&self) -> Duration {
        self.access_max_age
    }
}

const SECURE_PREFIX: &str = "__Secure-";
const HOST_PREFIX: &str = "__Host-";
const HTTP_PREFIX: &str = "__Http-";

fn domain(
    app: &NormalisedAppInfo,
    setting: &'static str,
    text: Option<&str>,
) -> Result<Option<String>, ConfigError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let domain = CookieDomain::parse(text).map_err(|reason| ConfigError::InvalidDomain {
        setting,
        value: text.to_owned(),
        reason,
    })?;
    if domain.host().is_public_suffix() {
        return Err(ConfigError::PublicSuffix {
            setting,
            host: domain.host().to_string(),
        });
    }
    if !app.api_host().domain_matches(domain.host()) {
        return Err(ConfigError::ForeignCookieDomain {
            setting,
            domain: domain.to_string(),
            host: app.api_host().to_string(),
        });
    }
    Ok(Some(domain.to_string()))
}

fn access_path(text: &str) -> Result<String, ConfigError> {
    let invalid = |reason| ConfigError::InvalidPath {
        setting: "access_token_path",
        value: text.to_owned(),
        reason,
    };
    if !text.is_empty() && !text.starts_with('/') {
        return Err(invalid(InvalidPath::NotAbsolute));
    }
    let path = app_info::path("access_token_path", text)?;
    if path.len() > defaults::COOKIE_ATTRIBUTE_MAX_BYTES {
        return Err(invalid(InvalidPath::TooLong {
            length: path.len(),
            limit: defaults::COOKIE_ATTRIBUTE_MAX_BYTES,
        }));
    }
    Ok(if path.is_empty() {
        defaults::ACCESS_TOKEN_PATH.to_owned()
    } else {
        path
    })
}

/// RFC 9110 §5.6.2, which RFC 6265 §4.1.1 refers to.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
