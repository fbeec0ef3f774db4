//! `SessionConfigBuilder`: one method per setting, each with its default, its unit and its range.

use std::time::Duration;

use http::StatusCode;

use super::{
    AccessKeyKind, AccessTokenExposure, AntiCsrf, AppInfo, Check, ConfigError, CookiePrefix,
    CookieSecurity, EncryptionSecret, RsaKeySize, SameSite, SessionConfig, TheftDetection,
    TokenTransfer, settings::Settings,
};

/// Builds a [`SessionConfig`].
///
/// Starts from the preset `supertokens`. Choose a preset first: it overwrites the settings that it
/// is about.
///
/// There is no setting for a limit of sessions per user: a user may have any number of them
/// (REQ-53). An application that wants a limit lists a user's sessions at login and ends some.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct SessionConfigBuilder {
    app: AppInfo,
    settings: Settings,
}

/// Presets.
impl SessionConfigBuilder {
    pub(super) fn new(app: AppInfo) -> Self {
        Self {
            app,
            settings: Settings::supertokens(),
        }
    }

    /// The preset that existing front ends and back ends expect, and the default: access tokens of
    /// one hour, refresh tokens of 100 days, no absolute lifetime, a grace window of 30 s and
    /// [`Check::Stateless`]. Puts every setting back.
    pub fn supertokens(mut self) -> Self {
        self.settings = Settings::supertokens();
        self
    }

    /// The preset for new services: access tokens of 15 minutes, refresh tokens of 30 days, an
    /// absolute lifetime of 90 days, a grace window of 30 s and [`Check::Blacklist`].
    pub fn balanced(mut self) -> Self {
        self.settings.balance();
        self
    }

    /// The preset for services where a stolen session is costly: access tokens of 5 minutes,
    /// refresh tokens of 12 hours, an absolute lifetime of 24 hours, a grace window of 10 s and
    /// [`Check::Blacklist`].
    pub fn strict(mut self) -> Self {
        self.settings.tighten();
        self
    }

    /// Fills in what follows from other settings, and judges the whole.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: the first setting that is out of its range or contradicts another one
    /// (security L5, E11).
    pub fn build(self) -> Result<SessionConfig, ConfigError> {
        SessionConfig::new(&self.app, self.settings)
    }
}

/// Lifetimes.
impl SessionConfigBuilder {
    /// How long an access token lives, and so for how long [`Check::Stateless`] accepts a revoked
    /// session: one hour by default, from 1 s to 30 days.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.access_token_lifetime = lifetime;
        self
    }

    /// How long a session lives that nobody refreshes: 100 days by default, from 1 s to the 400 days
    /// that browsers keep a cookie; not less than an access token.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.refresh_token_lifetime = lifetime;
        self
    }

    /// When a session ends however often it is refreshed: never by default, up to 3650 days; not
    /// less than an access token (ASVS 7.3.2).
    pub fn absolute_lifetime(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.settings.absolute_lifetime = lifetime.into();
        self
    }

    /// The largest part of an access token's life that is taken off it at random, so that clients
    /// do not all refresh at once: 0.05 by default, from 0 to 0.25 (wire §0).
    pub fn expiry_jitter(mut self, part: f64) -> Self {
        self.settings.expiry_jitter = part;
        self
    }

    /// How long a superseded refresh token still gets its successor: 30 s by default, up to 10
    /// minutes; less than the shortest life of an access token.
    ///
    /// It should be as long as an answer may be lost for and no longer. Zero makes two tabs that
    /// refresh at once look like a theft.
    pub fn rotation_grace(mut self, window: Duration) -> Self {
        self.settings.rotation_grace = window;
        self
    }

    /// What becomes of a session whose refresh token is replayed after the grace window:
    /// [`TheftDetection::Enforce`] by default.
    pub fn theft_detection(mut self, detection: TheftDetection) -> Self {
        self.settings.theft_detection = detection;
        self
    }

    /// How far in the future an access token may have been issued by a node with another clock: 30 s
    /// by default, up to 60 s. An expiry has no leeway at all (wire case 14).
    pub fn clock_leeway(mut self, leeway: Duration) -> Self {
        self.settings.clock_leeway = leeway;
        self
    }

    /// How much longer than the session's last access token a revocation is remembered, for nodes
    /// whose clocks are behind: 60 s by default, from 1 s to 10 minutes.
    pub fn revocation_skew(mut self, skew: Duration) -> Self {
        self.settings.revocation_skew = skew;
        self
    }
}

/// Keys.
impl SessionConfigBuilder {
    /// Which keys sign access tokens: [`AccessKeyKind::Dynamic`] by default. Tokens of the other
    /// kind have to be refreshed (wire case 13).
    pub fn signing_key_kind(mut self, kind: AccessKeyKind) -> Self {
        self.settings.signing_key_kind = kind;
        self
    }

    /// How long a dynamic key signs: 168 hours by default, from 1 hour to 366 days; not less than
    /// an access token lives (wire §1.4).
    pub fn signing_key_rotation(mut self, interval: Duration) -> Self {
        self.settings.signing_key_rotation = interval;
        self
    }

    /// The size of new keys: [`RsaKeySize::Bits2048`] by default.
    pub fn rsa_key_size(mut self, size: RsaKeySize) -> Self {
        self.settings.rsa_key_size = size;
        self
    }

    /// The secret that private keys are encrypted with in the store: none by default, at least 32
    /// bytes. The name, 1 to 64 of `a-z A-Z 0-9 . _ -`, is stored with each key.
    pub fn encryption_secret(
        mut self,
        name: impl Into<String>,
        secret: impl Into<Vec<u8>>,
    ) -> Self {
        self.settings.encryption_secret = Some(EncryptionSecret::new(name.into(), secret.into()));
        self
    }

    /// A secret that [`encryption_secret`](Self::encryption_secret) was before; it decrypts and no
    /// longer encrypts. May be called more than once.
    pub fn older_encryption_secret(
        mut self,
        name: impl Into<String>,
        secret: impl Into<Vec<u8>>,
    ) -> Self {
        self.settings
            .older_encryption_secrets
            .push(EncryptionSecret::new(name.into(), secret.into()));
        self
    }
}

/// Tokens in requests and responses.
impl SessionConfigBuilder {
    /// How tokens travel: [`TokenTransfer::Any`] by default.
    pub fn token_transfer(mut self, transfer: TokenTransfer) -> Self {
        self.settings.token_transfer = transfer;
        self
    }

    /// Whether scripts can read the access token of a cookie session:
    /// [`AccessTokenExposure::CookieOnly`] by default.
    pub fn access_token_exposure(mut self, exposure: AccessTokenExposure) -> Self {
        self.settings.access_token_exposure = exposure;
        self
    }

    /// What proves that a request with a session cookie comes from the website. By default
    /// [`AntiCsrf::ViaCustomHeader`] where cookies are `SameSite=None`, otherwise
    /// [`AntiCsrf::None`] (wire §9.2).
    pub fn anti_csrf(mut self, mode: AntiCsrf) -> Self {
        self.settings.anti_csrf = Some(mode);
        self
    }

    /// The name of the access cookie before its prefix: `sAccessToken` by default; a token of at
    /// most 64 bytes.
    pub fn access_cookie_name(mut self, name: impl Into<String>) -> Self {
        self.settings.access_cookie_name = name.into();
        self
    }

    /// The name of the refresh cookie before its prefix: `sRefreshToken` by default; a token of at
    /// most 64 bytes.
    pub fn refresh_cookie_name(mut self, name: impl Into<String>) -> Self {
        self.settings.refresh_cookie_name = name.into();
        self
    }

    /// The prefix of the cookies' names: [`CookiePrefix::Plain`] by default. The others need
    /// `https`. Front ends never read these cookies.
    pub fn cookie_prefix(mut self, prefix: CookiePrefix) -> Self {
        self.settings.cookie_prefix = prefix;
        self
    }

    /// The `Domain` of the cookies: none by default, so that only the API's own host gets them. A
    /// domain that the API's host is in, and no public suffix.
    pub fn cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.settings.cookie_domain = Some(domain.into());
        self
    }

    /// The `Domain` that the cookies had before it was changed, to clear what browsers still have
    /// of them (wire §4.7): none by default; `""` when they had no `Domain`.
    pub fn older_cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.settings.older_cookie_domain = Some(domain.into());
        self
    }

    /// The `SameSite` of the cookies. By default [`SameSite::Lax`] where website and API are of one
    /// site and scheme, otherwise [`SameSite::None`] (wire §9.2).
    pub fn cookie_same_site(mut self, same_site: SameSite) -> Self {
        self.settings.cookie_same_site = Some(same_site);
        self
    }

    /// The `Secure` of the cookies: by default there is one when the API is reached over `https`
    /// (wire §9.2).
    pub fn cookie_secure(mut self, security: CookieSecurity) -> Self {
        self.settings.cookie_secure = Some(security);
        self
    }

    /// The `Path` of the access cookie: `/` by default. Routes elsewhere do not get it.
    pub fn access_token_path(mut self, path: impl Into<String>) -> Self {
        self.settings.access_token_path = path.into();
        self
    }

    /// How long a browser keeps the access cookie: 365 days by default, up to 400; not less than
    /// the token lives. It outlives the token on purpose (wire §4.2).
    pub fn access_cookie_max_age(mut self, max_age: Duration) -> Self {
        self.settings.access_cookie_max_age = max_age;
        self
    }

    /// The status of a refused session: 401 by default; another one from 400 to 499. The browser
    /// SDK has to be told of another one.
    pub fn session_expired_status(mut self, status: StatusCode) -> Self {
        self.settings.session_expired_status = status;
        self
    }

    /// The status of a session whose claims do not suffice: 403 by default; another one from 400 to
    /// 499, and not that of a refused session.
    pub fn invalid_claim_status(mut self, status: StatusCode) -> Self {
        self.settings.invalid_claim_status = status;
        self
    }
}

/// Checks and the store.
impl SessionConfigBuilder {
    /// How far a verification looks when the route does not say: [`Check::Stateless`] by default,
    /// [`Check::Blacklist`] in the presets `balanced` and `strict`.
    pub fn default_check(mut self, check: Check) -> Self {
        self.settings.default_check = check;
        self
    }

    /// How old the blacklist may be before a route that asks it reads the database: 5 s by default,
    /// from 500 ms to 60 s; less than the shortest life of an access token.
    ///
    /// Longer than the store is asked for revocations (each second unless configured; on PostgreSQL
    /// always) and an answer takes: below that, half of the look-ups read the database.
    pub fn max_staleness(mut self, age: Duration) -> Self {
        self.settings.max_staleness = age;
        self
    }

    /// How many revoked sessions the blacklist remembers: 1 000 000 by default, from 1 000 to
    /// 100 000 000. It has to hold every revocation of an access token's lifetime.
    pub fn blacklist_capacity(mut self, sessions: usize) -> Self {
        self.settings.blacklist_capacity = sessions;
        self
    }

    /// How many verified access tokens this node remembers, so that a request with one of them costs
    /// a look-up in memory instead of an RSA operation: none by default, up to 10 000 000.
    ///
    /// Nothing else changes. A remembered token expires when it would, is worth nothing once its key
    /// is removed, and every check that a route asks for is made each time. A token of 1.1 kB takes
    /// about 3 kB; those that nobody presents again go first.
    pub fn verified_tokens(mut self, tokens: usize) -> Self {
        self.settings.verified_tokens = tokens;
        self
    }

    /// What this node is called where it is missing from a
    /// [confirmation](crate::receipts::Confirmation): by default the machine's name and the
    /// process's number; 1 to 128 bytes without control characters, and nothing secret.
    pub fn node_name(mut self, name: impl Into<String>) -> Self {
        self.settings.node_name = Some(name.into());
        self
    }

    /// How long a call to the store may take: 2 s by default, from 10 ms to 60 s.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.settings.store_timeout = timeout;
        self
    }

    /// How many calls to the store may be under way at once: 64 by default, from 1 to 10 000.
    pub fn max_concurrent_store_calls(mut self, calls: usize) -> Self {
        self.settings.max_concurrent_store_calls = calls;
        self
    }

    /// How long the application's function for a claim may take: 5 s by default, from 10 ms to
    /// 60 s.
    pub fn claim_fetch_timeout(mut self, timeout: Duration) -> Self {
        self.settings.claim_fetch_timeout = timeout;
        self
    }

    /// How often expired rows are deleted: every 12 hours by default, from 1 minute to 7 days.
    pub fn purge_interval(mut self, interval: Duration) -> Self {
        self.settings.purge_interval = interval;
        self
    }

    /// How many expired rows one statement deletes: 1 000 by default, from 1 to 100 000.
    pub fn purge_batch(mut self, rows: u32) -> Self {
        self.settings.purge_batch = rows;
        self
    }
}
