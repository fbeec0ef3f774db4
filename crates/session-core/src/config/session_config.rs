//! `SessionConfig`: the settings in force, each with a getter.

use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::{
    AccessKeyKind, AccessTokenExposure, AntiCsrf, AppInfo, Check, ConfigError, CookieSettings,
    EncryptionSecret, NormalisedAppInfo, RsaKeySize, SameSite, SessionConfigBuilder,
    TheftDetection, TokenTransfer, contradictions, settings::Settings,
};
use crate::{ids::NodeName, store::Retention};

/// The settings in force: what the application set, and what follows from it.
///
/// # Examples
///
/// ```
/// use session_core::config::{AntiCsrf, AppInfo, SameSite, SessionConfig};
///
/// let app = AppInfo::new("https://api.example.com", "https://example.com");
/// let config = SessionConfig::builder(app).balanced().build()?;
/// assert_eq!(config.cookies().same_site(), SameSite::Lax);
/// assert!(config.cookies().is_secure());
/// assert_eq!(config.anti_csrf(), AntiCsrf::None);
/// # Ok::<(), session_core::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SessionConfig {
    app: NormalisedAppInfo,
    cookies: CookieSettings,
    node_name: Option<NodeName>,
    settings: Settings,
}

impl SessionConfig {
    /// Begins a configuration for the application at `app`, with the preset `supertokens`.
    pub fn builder(app: AppInfo) -> SessionConfigBuilder {
        SessionConfigBuilder::new(app)
    }

    pub(super) fn new(app: &AppInfo, settings: Settings) -> Result<Self, ConfigError> {
        let app = app.normalised()?;
        contradictions::judge(&settings)?;
        let cookies = CookieSettings::new(&app, &settings)?;
        let node_name = settings.node_name.as_deref().map(NodeName::try_from);
        Ok(Self {
            node_name: node_name.transpose().map_err(ConfigError::NodeName)?,
            app,
            cookies,
            settings,
        })
    }

    /// Where the application is reached.
    pub fn app(&self) -> &NormalisedAppInfo {
        &self.app
    }

    /// The cookies of a session.
    pub fn cookies(&self) -> &CookieSettings {
        &self.cookies
    }

    /// How long an access token lives at most.
    pub fn access_token_lifetime(&self) -> Duration {
        self.settings.access_token_lifetime
    }

    /// The shortest life that the jitter leaves to an access token.
    pub fn shortest_access_token_lifetime(&self) -> Duration {
        self.settings.shortest_access_token_lifetime()
    }

    /// How long a session lives that nobody refreshes.
    pub fn refresh_token_lifetime(&self) -> Duration {
        self.settings.refresh_token_lifetime
    }

    /// When a session ends however often it is refreshed.
    pub fn absolute_lifetime(&self) -> Option<Duration> {
        self.settings.absolute_lifetime
    }

    /// The largest part of an access token's life that is taken off it at random.
    pub fn expiry_jitter(&self) -> f64 {
        self.settings.expiry_jitter
    }

    /// How long a superseded refresh token still gets its successor.
    pub fn rotation_grace(&self) -> Duration {
        self.settings.rotation_grace
    }

    /// What becomes of a session whose refresh token is replayed after the grace window.
    pub fn theft_detection(&self) -> TheftDetection {
        self.settings.theft_detection
    }

    /// How far in the future an access token may have been issued.
    pub fn clock_leeway(&self) -> Duration {
        self.settings.clock_leeway
    }

    /// How much longer than the session's last access token a revocation is remembered.
    pub fn revocation_skew(&self) -> Duration {
        self.settings.revocation_skew
    }

    /// How long a revocation at `now` is remembered.
    pub(crate) fn retention_at(&self, now: SystemTime) -> Retention {
        Retention::at(now, self.access_token_lifetime(), self.revocation_skew())
    }

    /// Which keys sign access tokens.
    pub fn signing_key_kind(&self) -> AccessKeyKind {
        self.settings.signing_key_kind
    }

    /// How long a dynamic key signs.
    pub fn signing_key_rotation(&self) -> Duration {
        self.settings.signing_key_rotation
    }

    /// The size of new keys.
    pub fn rsa_key_size(&self) -> RsaKeySize {
        self.settings.rsa_key_size
    }

    /// The secret that private keys are encrypted with in the store.
    pub fn encryption_secret(&self) -> Option<&EncryptionSecret> {
        self.settings.encryption_secret.as_ref()
    }

    /// The secrets that only decrypt.
    pub fn older_encryption_secrets(&self) -> &[EncryptionSecret] {
        &self.settings.older_encryption_secrets
    }

    /// How tokens travel.
    pub fn token_transfer(&self) -> TokenTransfer {
        self.settings.token_transfer
    }

    /// Whether scripts can read the access token of a cookie session.
    pub fn access_token_exposure(&self) -> AccessTokenExposure {
        self.settings.access_token_exposure
    }

    /// What proves that a request with a session cookie comes from the website.
    pub fn anti_csrf(&self) -> AntiCsrf {
        self.settings
            .anti_csrf
            .unwrap_or(match self.cookies.same_site() {
                SameSite::None => AntiCsrf::ViaCustomHeader,
                SameSite::Lax | SameSite::Strict => AntiCsrf::None,
            })
    }

    /// The status of a refused session.
    pub fn session_expired_status(&self) -> StatusCode {
        self.settings.session_expired_status
    }

    /// The status of a session whose claims do not suffice.
    pub fn invalid_claim_status(&self) -> StatusCode {
        self.settings.invalid_claim_status
    }

    /// How far a verification looks when the route does not say.
    pub fn default_check(&self) -> Check {
        self.settings.default_check
    }

    /// How old the blacklist may be before a route that asks it reads the database.
    pub fn max_staleness(&self) -> Duration {
        self.settings.max_staleness
    }

    /// How many revoked sessions the blacklist remembers.
    pub fn blacklist_capacity(&self) -> usize {
        self.settings.blacklist_capacity
    }

    /// How many verified access tokens this node remembers.
    pub fn verified_tokens(&self) -> usize {
        self.settings.verified_tokens
    }

    /// What this node is called, where the application says so.
    pub fn node_name(&self) -> Option<NodeName> {
        self.node_name.clone()
    }

    /// How long a call to the store may take.
    pub fn store_timeout(&self) -> Duration {
        self.settings.store_timeout
    }

    /// How many calls to the store may be under way at once.
    pub fn max_concurrent_store_calls(&self) -> usize {
        self.settings.max_concurrent_store_calls
    }

    /// How long the application's function for a claim may take.
    pub fn claim_fetch_timeout(&self) -> Duration {
        self.settings.claim_fetch_timeout
    }

    /// How often expired rows are deleted.
    pub fn purge_interval(&self) -> Duration {
        self.settings.purge_interval
    }

    /// How many expired rows one statement deletes.
    pub fn purge_batch(&self) -> u32 {
        self.settings.purge_batch
    }
}

#[cfg(test)]
mod tests;
