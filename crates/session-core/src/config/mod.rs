//! The configuration: every default, and every contradiction an error when it is built.
//!
//! [`SessionConfig::builder`] takes an [`AppInfo`] and starts from the preset `supertokens`;
//! [`SessionConfigBuilder::build`] fills in what follows from other settings and refuses what cannot
//! work, with the setting and the reason.

mod app_info;
mod builder;
mod contradictions;
mod cookies;
pub mod defaults;
mod encryption_secret;
mod error;
mod host;
mod normalise;
mod session_config;
mod settings;

pub use app_info::{AppInfo, NormalisedAppInfo};
pub use builder::SessionConfigBuilder;
pub use cookies::{CookiePrefix, CookieSecurity, CookieSettings, InvalidCookieName, SameSite};
pub use encryption_secret::EncryptionSecret;
pub use error::ConfigError;
pub use host::InvalidHost;
pub use normalise::{InvalidDomain, InvalidPath};
pub use session_config::SessionConfig;
pub use settings::{
    AccessKeyKind, AccessTokenExposure, AntiCsrf, Check, RsaKeySize, TheftDetection, TokenTransfer,
};
