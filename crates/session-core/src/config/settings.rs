//! The settings as they are set, before anything is derived from them, and the choices among them.

use crate::store::KeyPurpose;
use std::time::Duration;

use http::StatusCode;

use super::{
    EncryptionSecret,
    cookies::{CookiePrefix, CookieSecurity, SameSite},
    defaults::{self, balanced, strict},
};

/// What becomes of a session whose superseded refresh token is replayed after the grace window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum TheftDetection {
    /// It is revoked.
    Enforce,
    /// It goes on as if the window were still open, and the replay is counted and reported: for
    /// services that switch over.
    Shadow,
}

/// Which keys sign access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum AccessKeyKind {
    /// Keys that are replaced regularly (`d-…`).
    Dynamic,
    /// One key that stays (`s-…`).
    Static,
}

impl AccessKeyKind {
    /// What the key's row says of it.
    pub(crate) fn purpose(self) -> KeyPurpose {
        match self {
            Self::Dynamic => KeyPurpose::AccessDynamic,
            Self::Static => KeyPurpose::AccessStatic,
        }
    }
}

/// The size of a new RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "what the crypto library can make")]
pub enum RsaKeySize {
    /// 2048 bits: what existing clients and cookies were sized for.
    Bits2048,
    /// 3072 bits.
    Bits3072,
    /// 4096 bits.
    Bits4096,
}

impl RsaKeySize {
    /// The smallest size that has as many bits or more.
    pub(crate) fn of_at_least(bits: usize) -> Option<Self> {
        [Self::Bits2048, Self::Bits3072, Self::Bits4096]
            .into_iter()
            .find(|size| bits <= size.bits() as usize)
    }

    /// The length of the modulus in bits.
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits2048 => 2048,
            Self::Bits3072 => 3072,
            Self::Bits4096 => 4096,
        }
    }
}

/// What proves that a request with a session cookie comes from the website (wire §9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum AntiCsrf {
    /// A token of the session in the header `anti-csrf`.
    ViaToken,
    /// A header `rid`, which a page of another origin cannot add without being asked first.
    ViaCustomHeader,
    /// Nothing but the cookies' `SameSite`.
    None,
}

impl AntiCsrf {
    /// The name of the mode on the wire and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ViaToken => "VIA_TOKEN",
            Self::ViaCustomHeader => "VIA_CUSTOM_HEADER",
            Self::None => "NONE",
        }
    }
}

/// How tokens travel between client and API (wire §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum TokenTransfer {
    /// As the client asks with `st-auth-mode`.
    Any,
    /// In cookies only.
    Cookie,
    /// In headers only.
    Header,
}

/// Whether scripts of the website can read the access token of a cookie session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum AccessTokenExposure {
    /// They cannot: it is in an `HttpOnly` cookie alone.
    CookieOnly,
    /// They can: the header `st-access-token` carries it as well (wire case 40).
    CookieAndHeader,
}

/// How far a verification looks beyond the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Check {
    /// No further: a revoked session is accepted until its access token expires.
    Stateless,
    /// At the blacklist in memory, which is at most `max_staleness` old.
    Blacklist,
    /// At the session's row.
    Database,
}

/// Every setting, each as the application set it or as the preset has it.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) access_token_lifetime: Duration,
    pub(super) refresh_token_lifetime: Duration,
    pub(super) absolute_lifetime: Option<Duration>,
    pub(super) expiry_jitter: f64,
    pub(super) rotation_grace: Duration,
    pub(super) theft_detection: TheftDetection,
    pub(super) clock_leeway: Duration,
    pub(super) revocation_skew: Duration,

    pub(super) signing_key_kind: AccessKeyKind,
    pub(super) signing_key_rotation: Duration,
    pub(super) rsa_key_size: RsaKeySize,
    pub(super) encryption_secret: Option<EncryptionSecret>,
    pub(super) older_encryption_secrets: Vec<EncryptionSecret>,

    pub(super) token_transfer: TokenTransfer,
    pub(super) access_token_exposure: AccessTokenExposure,
    pub(super) anti_csrf: Option<AntiCsrf>,
    pub(super) access_cookie_name: String,
    pub(super) refresh_cookie_name: String,
    pub(super) cookie_prefix: CookiePrefix,
    pub(super) cookie_domain: Option<String>,
    pub(super) older_cookie_domain: Option<String>,
    pub(super) cookie_same_site: Option<SameSite>,
    pub(super) cookie_secure: Option<CookieSecurity>,
    pub(super) access_token_path: String,
    pub(super) access_cookie_max_age: Duration,
    pub(super) session_expired_status: StatusCode,
    pub(super) invalid_claim_status: StatusCode,

    pub(super) default_check: Check,
    pub(super) max_staleness: Duration,
    pub(super) blacklist_capacity: usize,
    pub(super) verified_tokens: usize,

    pub(super) node_name: Option<String>,
    pub(super) store_timeout: Duration,
    pub(super) max_concurrent_store_calls: usize,
    pub(super) claim_fetch_timeout: Duration,
    pub(super) purge_interval: Duration,
    pub(super) purge_batch: u32,
}

impl Settings {
    /// What existing front ends and back ends expect (wire §0).
    pub(super) fn supertokens() -> Self {
        Self {
            access_token_lifetime: defaults::ACCESS_TOKEN_LIFETIME,
            refresh_token_lifetime: defaults::REFRESH_TOKEN_LIFETIME,
            absolute_lifetime: None,
            expiry_jitter: defaults::EXPIRY_JITTER,
            rotation_grace: defaults::ROTATION_GRACE,
            theft_detection: TheftDetection::Enforce,
            clock_leeway: defaults::CLOCK_LEEWAY,
            revocation_skew: defaults::REVOCATION_SKEW,

            signing_key_kind: AccessKeyKind::Dynamic,
            signing_key_rotation: defaults::SIGNING_KEY_ROTATION,
            rsa_key_size: RsaKeySize::Bits2048,
            encryption_secret: None,
            older_encryption_secrets: Vec::new(),

            token_transfer: TokenTransfer::Any,
            access_token_exposure: AccessTokenExposure::CookieOnly,
            anti_csrf: None,
            access_cookie_name: defaults::ACCESS_COOKIE_NAME.to_owned(),
            refresh_cookie_name: defaults::REFRESH_COOKIE_NAME.to_owned(),
            cookie_prefix: CookiePrefix::Plain,
            cookie_domain: None,
            older_cookie_domain: None,
            cookie_same_site: None,
            cookie_secure: None,
            access_token_path: defaults::ACCESS_TOKEN_PATH.to_owned(),
            access_cookie_max_age: defaults::ACCESS_COOKIE_MAX_AGE,
            session_expired_status: defaults::SESSION_EXPIRED_STATUS,
            invalid_claim_status: defaults::INVALID_CLAIM_STATUS,

            default_check: Check::Stateless,
            max_staleness: defaults::MAX_STALENESS,
            blacklist_capacity: defaults::BLACKLIST_CAPACITY,
            verified_tokens: defaults::VERIFIED_TOKENS,

            node_name: None,
            store_timeout: defaults::STORE_TIMEOUT,
            max_concurrent_store_calls: defaults::MAX_CONCURRENT_STORE_CALLS,
            claim_fetch_timeout: defaults::CLAIM_FETCH_TIMEOUT,
            purge_interval: defaults::PURGE_INTERVAL,
            purge_batch: defaults::PURGE_BATCH,
        }
    }

    /// Changes what the preset `balanced` is about, and nothing else.
    pub(super) fn balance(&mut self) {
        self.access_token_lifetime = balanced::ACCESS_TOKEN_LIFETIME;
        self.refresh_token_lifetime = balanced::REFRESH_TOKEN_LIFETIME;
        self.absolute_lifetime = Some(balanced::ABSOLUTE_LIFETIME);
        self.rotation_grace = defaults::ROTATION_GRACE;
        self.default_check = Check::Blacklist;
    }

    /// Changes what the preset `strict` is about, and nothing else.
    pub(super) fn tighten(&mut self) {
        self.access_token_lifetime = strict::ACCESS_TOKEN_LIFETIME;
        self.refresh_token_lifetime = strict::REFRESH_TOKEN_LIFETIME;
        self.absolute_lifetime = Some(strict::ABSOLUTE_LIFETIME);
        self.rotation_grace = strict::ROTATION_GRACE;
        self.default_check = Check::Blacklist;
    }

    /// The shortest life that the jitter leaves to an access token.
    pub(super) fn shortest_access_token_lifetime(&self) -> Duration {
        self.access_token_lifetime
            .mul_f64((1.0 - self.expiry_jitter).clamp(0.0, 1.0))
    }
}
