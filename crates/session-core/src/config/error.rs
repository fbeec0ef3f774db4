//! Why a configuration is refused: always the setting and the reason.

use super::{
    cookies::InvalidCookieName,
    normalise::{InvalidDomain, InvalidPath},
};
use crate::ids::InvalidId;

/// Why [`SessionConfigBuilder::build`](super::SessionConfigBuilder::build) refuses a configuration.
///
/// Each variant names the setting that has to change; a contradiction between two settings names
/// both.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting that has to be a domain is none.
    #[error("{setting} {value:?} is not a domain: {reason}")]
    InvalidDomain {
        /// The setting.
        setting: &'static str,
        /// What it is set to.
        value: String,
        /// What is wrong with it.
        reason: InvalidDomain,
    },

    /// A setting that has to be a path is none.
    #[error("{setting} {value:?} is not a path: {reason}")]
    InvalidPath {
        /// The setting.
        setting: &'static str,
        /// What it is set to.
        value: String,
        /// What is wrong with it.
        reason: InvalidPath,
    },

    /// Anybody may register names below this host, so nothing can be said of the site that it
    /// belongs to, and a cookie for it would reach strangers.
    #[error("{setting}: the host {host} is a public suffix, below which anybody may have a name")]
    PublicSuffix {
        /// The setting.
        setting: &'static str,
        /// The host.
        host: String,
    },

    /// A browser would refuse a cookie with this domain from the API.
    #[error("{setting} {domain:?} does not cover the API's host {host}")]
    ForeignCookieDomain {
        /// `cookie_domain` or `older_cookie_domain`.
        setting: &'static str,
        /// What it is set to.
        domain: String,
        /// The host that the API is reached under.
        host: String,
    },

    /// Clearing the cookies of the older domain would clear those in use.
    #[error("older_cookie_domain is the domain that cookies have now")]
    OlderCookieDomainInUse,

    /// A cookie cannot have this name.
    #[error("{setting} {name:?} cannot name a cookie: {reason}")]
    InvalidCookieName {
        /// `access_cookie_name` or `refresh_cookie_name`.
        setting: &'static str,
        /// The name with its prefix.
        name: String,
        /// What is wrong with it.
        reason: InvalidCookieName,
    },

    /// The access and the refresh cookie need names of their own.
    #[error("access_cookie_name and refresh_cookie_name are both {0:?}")]
    CookieNamesEqual(String),

    /// Browsers do not accept a `Secure` cookie from an `http` address.
    #[error("cookie_secure asks for Secure cookies, but api_domain {api_domain} is http")]
    SecureCookiesOverHttp {
        /// The API's origin.
        api_domain: String,
    },

    /// Browsers do not accept a `SameSite=None` cookie that is not `Secure`. Without
    /// `cookie_same_site`, `None` follows from two domains of different sites or schemes.
    #[error(
        "cookies between {website_domain} and {api_domain} are SameSite=None, which browsers \
         accept with Secure only: use https, one site for both, or token_transfer(Header)"
    )]
    SameSiteNoneWithoutSecure {
        /// The API's origin.
        api_domain: String,
        /// The website's origin.
        website_domain: String,
    },

    /// A value outside what the setting allows.
    #[error("{setting} is {value}; it may be {allowed}")]
    OutOfRange {
        /// The setting.
        setting: &'static str,
        /// What it is set to.
        value: String,
        /// What it may be.
        allowed: String,
    },

    /// A time that must be shorter than another one is not.
    #[error("{setting} ({value:?}) must be shorter than {limit_name} ({limit:?}): {reason}")]
    TooLong {
        /// The setting.
        setting: &'static str,
        /// What it is set to.
        value: std::time::Duration,
        /// What limits it.
        limit_name: &'static str,
        /// The limit.
        limit: std::time::Duration,
        /// What would go wrong.
        reason: &'static str,
    },

    /// A time that must not be shorter than another one is.
    #[error("{setting} ({value:?}) must be at least {least_name} ({least:?}): {reason}")]
    TooShort {
        /// The setting.
        setting: &'static str,
        /// What it is set to.
        value: std::time::Duration,
        /// What it must reach.
        least_name: &'static str,
        /// The least that it may be.
        least: std::time::Duration,
        /// What would go wrong.
        reason: &'static str,
    },

    /// The status of a refusal has to be one of a client's errors.
    #[error("{setting} is {status}; it must be from 400 to 499")]
    NotAClientError {
        /// The setting.
        setting: &'static str,
        /// What it is set to.
        status: http::StatusCode,
    },

    /// A client could not tell a session that has expired from one whose claims do not suffice.
    #[error("session_expired_status and invalid_claim_status are both {0}")]
    StatusesEqual(http::StatusCode),

    /// A secret for the keys at rest is too short to be one.
    #[error("the encryption secret {name:?} has {length} bytes; it needs at least {least}")]
    EncryptionSecretTooShort {
        /// The secret's name.
        name: String,
        /// How many bytes it has.
        length: usize,
        /// How many it needs.
        least: usize,
    },

    /// The name of a node is stored for others to read.
    #[error("`node_name` is not acceptable")]
    NodeName(#[source] InvalidId),

    /// A secret's name is stored beside every key, so it is short and printable.
    #[error("the name of an encryption secret, {name:?}, is not 1 to {limit} of a-z A-Z 0-9 . _ -")]
    EncryptionSecretName {
        /// The name.
        name: String,
        /// The most bytes that it may have.
        limit: usize,
    },

    /// A stored key names the secret that it is encrypted with, so names are unique.
    #[error("two encryption secrets are called {0:?}")]
    EncryptionSecretNamesEqual(String),

    /// One secret under two names: a change of the secret that changes nothing.
    #[error("the encryption secrets {0:?} and {1:?} are the same")]
    EncryptionSecretsEqual(String, String),

    /// Older secrets decrypt only; without a newest one, keys would be stored unencrypted from now
    /// on.
    #[error("older_encryption_secret is set without encryption_secret")]
    OlderEncryptionSecretOnly,
}
