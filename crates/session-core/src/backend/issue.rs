//! Making tokens: what goes into an access token, and when it and its session expire.

use std::time::Duration;

use crate::{
    backend::{Delivery, Issued},
    clock::duration_ms,
    config::SessionConfig,
    error::SessionError,
    http,
    issued::Tokens,
    keys::SigningKey,
    payload::Payload,
    store::SessionRecord,
    token::{self, RefreshToken, access::AccessClaims, refresh::RefreshSecret},
};

/// Signs an access token and builds what goes with it.
pub(crate) fn access_token(
    key: &SigningKey,
    claims: &AccessClaims<'_>,
    payload: &Payload,
    refresh: Option<(RefreshToken, i64)>,
) -> Result<Issued, SessionError> {
    let verified = token::access::mint(key, claims, payload)?;
    let access_token_expires_at_ms = claims.expires_at_s.saturating_mul(1_000);
    let front_token =
        token::front::build(claims.user, access_token_expires_at_ms, verified.payload());
    let tokens = Tokens {
        access_token: verified.token().clone(),
        access_token_expires_at_ms,
        front_token,
        refresh,
        anti_csrf_token: claims.anti_csrf_token.map(str::to_owned),
    };
    Ok(Issued { verified, tokens })
}

/// Refuses tokens that the transport would drop silently (security E12).
pub(crate) fn ensure_deliverable(
    config: &SessionConfig,
    tokens: &Tokens,
    delivery: Delivery,
) -> Result<(), SessionError> {
    match delivery.method {
        Some(method) => http::ensure_fits(config, tokens, method),
        None => http::ensure_fits_any(config, tokens),
    }
}

/// The Unix time in seconds at which an access token issued at `now_ms` expires: the configured
/// lifetime less the jitter, and never after the session itself.
///
/// The jitter follows from the refresh token's secret, so whoever gets the same refresh token again
/// gets the same expiry.
pub(crate) fn access_expiry_s(
    config: &SessionConfig,
    now_ms: i64,
    session_expires_at_ms: i64,
    secret: &RefreshSecret,
) -> i64 {
    let [a, b, c, d, ..] = secret.hash();
    let random = u32::from_be_bytes([a, b, c, d]);
    let lifetime_ms = duration_ms(jittered(
        config.access_token_lifetime(),
        config.expiry_jitter(),
        random,
    ));
    let issued_at_s = now_ms.div_euclid(1_000);
    // Whole seconds from the second of issue, so that `exp − iat` is the lifetime.
    let expires_at_s = issued_at_s.saturating_add(lifetime_ms.div_euclid(1_000).max(1));
    expires_at_s.min(session_expires_at_ms.div_euclid(1_000))
}

/// The expiry in milliseconds that the last rotation gave its access token, which a replay answers
/// with too.
///
/// Never after what the rotation recorded, so that no token outlives its revocation record, nor
/// after what this node would accept: another may be configured for longer lifetimes.
pub(crate) fn replayed_access_expiry_ms(
    config: &SessionConfig,
    row: &SessionRecord,
    secret: &RefreshSecret,
    now_ms: i64,
) -> i64 {
    let issued = access_expiry_s(config, row.refreshed_at_ms, row.expires_at_ms, secret);
    let longest_ms = now_ms.saturating_add(duration_ms(config.access_token_lifetime()));
    issued
        .saturating_mul(1_000)
        .min(row.access_expires_at_ms)
        .min(longest_ms)
}

/// When a session rotated at `now_ms` ends unless it is refreshed.
pub(crate) fn session_expiry_ms(
    config: &SessionConfig,
    now_ms: i64,
    absolute_expires_at_ms: Option<i64>,
) -> i64 {
    let sliding = now_ms.saturating_add(duration_ms(config.refresh_token_lifetime()));
    absolute_expires_at_ms.map_or(sliding, |absolute| sliding.min(absolute))
}

/// `lifetime` less a part of `jitter · lifetime` chosen by `random`, so that tokens issued together
/// do not expire together (wire §2.9, security J5).
fn jittered(lifetime: Duration, jitter: f64, random: u32) -> Duration {
    let part = f64::from(random) / f64::from(u32::MAX);
    lifetime.mul_f64(1.0 - (jitter * part).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wire §2.9: subtractive, at most the configured part, none when set to 0.
    #[test]
    fn jitter_only_shortens_and_only_by_the_configured_part() {
        let hour = Duration::from_hours(1);
        assert_eq!(jittered(hour, 0.05, 0), hour);
        assert_eq!(jittered(hour, 0.05, u32::MAX), Duration::from_mins(57));
        assert_eq!(jittered(hour, 0.0, u32::MAX), hour);
    }
}
