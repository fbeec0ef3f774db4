//! Every default, limit and name of the configuration, each with the rule that it comes from.

use std::{ops::RangeInclusive, time::Duration};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Where the API's own routes begin (wire §0).
pub const API_BASE_PATH: &str = "/auth";
/// Where a refresh token is exchanged, after the base path (wire §4.1).
pub const REFRESH_PATH: &str = "/session/refresh";
/// Where a session is ended, after the base path (wire §5).
pub const SIGN_OUT_PATH: &str = "/signout";
/// Where the public keys are served, after the base path (wire §5).
pub const JWKS_PATH: &str = "/jwt/jwks.json";
/// Where the discovery document is served, after the base path (wire §5).
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// The access token's cookie (wire §4.1).
pub const ACCESS_COOKIE_NAME: &str = "sAccessToken";
/// The refresh token's cookie (wire §4.1).
pub const REFRESH_COOKIE_NAME: &str = "sRefreshToken";
/// The cookie of sessions made before 2023; it is only read and cleared (wire §4.1).
pub const LEGACY_COOKIE_NAME: &str = "sIdRefreshToken";
/// Cookies that belong to the browser SDK (wire §4.1): ours must not be called like them.
pub(super) const FRONT_END_COOKIE_NAMES: [&str; 6] = [
    "sFrontToken",
    "st-last-access-token-update",
    "sAntiCsrf",
    "st-access-token",
    "st-refresh-token",
    "sIRTFrontend",
];
/// The most bytes in the name of a cookie, so that the 4096 of name and value (RFC 6265bis §5.6)
/// are left to the value.
pub const COOKIE_NAME_MAX_BYTES: usize = 64;
/// The most bytes in the value of a cookie attribute (RFC 6265bis §5.6, REQ-32).
pub const COOKIE_ATTRIBUTE_MAX_BYTES: usize = 1024;
/// The path of the access cookie (wire §4.2).
pub const ACCESS_TOKEN_PATH: &str = "/";
/// How long a browser keeps the access cookie (wire §0: one year, whatever the token's own expiry).
pub const ACCESS_COOKIE_MAX_AGE: Duration = DAY.saturating_mul(365);
/// The longest time that a browser keeps any cookie (RFC 6265bis §5.5, REQ-33).
pub const COOKIE_MAX_AGE_LIMIT: Duration = DAY.saturating_mul(400);

/// The life of an access token (wire §0).
pub const ACCESS_TOKEN_LIFETIME: Duration = HOUR;
/// What an access token's lifetime may be. Revocations are remembered this long.
pub const ACCESS_TOKEN_LIFETIME_RANGE: RangeInclusive<Duration> = SECOND..=DAY.saturating_mul(30);
/// The life of a refresh token that is not used (wire §0).
pub const REFRESH_TOKEN_LIFETIME: Duration = DAY.saturating_mul(100);
/// What a refresh token's lifetime may be; the upper end is [`COOKIE_MAX_AGE_LIMIT`].
pub const REFRESH_TOKEN_LIFETIME_RANGE: RangeInclusive<Duration> = SECOND..=COOKIE_MAX_AGE_LIMIT;
/// What the absolute lifetime of a session may be.
pub const ABSOLUTE_LIFETIME_RANGE: RangeInclusive<Duration> = SECOND..=DAY.saturating_mul(3650);
/// The part of an access token's life that may be taken off it at random (wire §0).
pub const EXPIRY_JITTER: f64 = 0.05;
/// The largest such part (wire §0).
pub const EXPIRY_JITTER_MAX: f64 = 0.25;
/// How long a superseded refresh token still gets its successor (wire §0, design §5).
pub const ROTATION_GRACE: Duration = Duration::from_secs(30);
/// The longest such window (design §5).
pub const ROTATION_GRACE_MAX: Duration = MINUTE.saturating_mul(10);
/// How far in the future an access token may have been issued by a node with another clock.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(30);
/// The most of it: beyond, a node is not ready (design §5).
pub const CLOCK_LEEWAY_MAX: Duration = MINUTE;
/// How much longer than the last access token a revocation is remembered.
pub const REVOCATION_SKEW: Duration = MINUTE;
/// What it may be.
pub const REVOCATION_SKEW_RANGE: RangeInclusive<Duration> = SECOND..=MINUTE.saturating_mul(10);

/// How long a dynamic key signs (wire §0).
pub const SIGNING_KEY_ROTATION: Duration = DAY.saturating_mul(7);
/// What that time may be (wire §0: at least one hour).
pub const SIGNING_KEY_ROTATION_RANGE: RangeInclusive<Duration> = HOUR..=DAY.saturating_mul(366);
/// How long before its first signature a dynamic key is published (wire §0).
pub const KEY_PREPUBLICATION: Duration = MINUTE;
/// The fewest bytes of a secret that keys are encrypted with.
pub const ENCRYPTION_SECRET_MIN_BYTES: usize = 32;
/// The most bytes in the name of such a secret.
pub const ENCRYPTION_SECRET_NAME_MAX_BYTES: usize = 64;

/// How old the blacklist may be before routes that ask it read the database (design §7).
pub const MAX_STALENESS: Duration = Duration::from_secs(5);
/// What that age may be.
pub const MAX_STALENESS_RANGE: RangeInclusive<Duration> = Duration::from_millis(500)..=MINUTE;
/// How many revoked sessions the blacklist remembers.
pub const BLACKLIST_CAPACITY: usize = 1_000_000;
/// What that number may be.
pub const BLACKLIST_CAPACITY_RANGE: RangeInclusive<usize> = 1_000..=100_000_000;

/// How many verified access tokens a node remembers.
pub const VERIFIED_TOKENS: usize = 0;
/// The most that this may be.
pub const VERIFIED_TOKENS_MAX: usize = 10_000_000;

/// How long a call to the store may take.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the application's function for a claim may take.
pub const CLAIM_FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// What either time may be.
pub const TIMEOUT_RANGE: RangeInclusive<Duration> = Duration::from_millis(10)..=MINUTE;
/// How many calls to the store may be under way at once.
pub const MAX_CONCURRENT_STORE_CALLS: usize = 64;
/// What that number may be.
pub const CONCURRENT_STORE_CALLS_RANGE: RangeInclusive<usize> = 1..=10_000;
/// How often expired rows are deleted.
pub const PURGE_INTERVAL: Duration = HOUR.saturating_mul(12);
/// What that time may be.
pub const PURGE_INTERVAL_RANGE: RangeInclusive<Duration> = MINUTE..=DAY.saturating_mul(7);
/// How many expired rows one statement deletes.
pub const PURGE_BATCH: u32 = 1_000;
/// What that number may be.
pub const PURGE_BATCH_RANGE: RangeInclusive<u32> = 1..=100_000;

/// The status of a refused session (wire §0).
pub const SESSION_EXPIRED_STATUS: http::StatusCode = http::StatusCode::UNAUTHORIZED;
/// The status of a session whose claims do not suffice (wire §0).
pub const INVALID_CLAIM_STATUS: http::StatusCode = http::StatusCode::FORBIDDEN;

/// The preset `balanced` (design §5).
pub(super) mod balanced {
    use super::{DAY, Duration, MINUTE};

    pub(crate) const ACCESS_TOKEN_LIFETIME: Duration = MINUTE.saturating_mul(15);
    pub(crate) const REFRESH_TOKEN_LIFETIME: Duration = DAY.saturating_mul(30);
    pub(crate) const ABSOLUTE_LIFETIME: Duration = DAY.saturating_mul(90);
}

/// The preset `strict` (design §5).
pub(super) mod strict {
    use super::{DAY, Duration, HOUR, MINUTE, SECOND};

    pub(crate) const ACCESS_TOKEN_LIFETIME: Duration = MINUTE.saturating_mul(5);
    pub(crate) const REFRESH_TOKEN_LIFETIME: Duration = HOUR.saturating_mul(12);
    pub(crate) const ABSOLUTE_LIFETIME: Duration = DAY;
    pub(crate) const ROTATION_GRACE: Duration = SECOND.saturating_mul(10);
}
