//! Settings that cannot be, alone or together (security L5). Those of cookies are with the cookies.

use std::{fmt::Debug, ops::RangeInclusive, time::Duration};

use super::{ConfigError, EncryptionSecret, defaults, settings::Settings};

pub(super) fn judge(settings: &Settings) -> Result<(), ConfigError> {
    judge_ranges(settings)?;
    judge_lifetimes(settings)?;
    judge_statuses(settings)?;
    judge_secrets(settings)
}

fn judge_ranges(settings: &Settings) -> Result<(), ConfigError> {
    let no_longer_than = |limit: Duration| Duration::ZERO..=limit;
    let durations = [
        (
            "access_token_lifetime",
            settings.access_token_lifetime,
            defaults::ACCESS_TOKEN_LIFETIME_RANGE,
        ),
        (
            "refresh_token_lifetime",
            settings.refresh_token_lifetime,
            defaults::REFRESH_TOKEN_LIFETIME_RANGE,
        ),
        (
            "rotation_grace",
            settings.rotation_grace,
            no_longer_than(defaults::ROTATION_GRACE_MAX),
        ),
        (
            "clock_leeway",
            settings.clock_leeway,
            no_longer_than(defaults::CLOCK_LEEWAY_MAX),
        ),
        (
            "revocation_skew",
            settings.revocation_skew,
            defaults::REVOCATION_SKEW_RANGE,
        ),
        (
            "signing_key_rotation",
            settings.signing_key_rotation,
            defaults::SIGNING_KEY_ROTATION_RANGE,
        ),
        (
            "access_cookie_max_age",
            settings.access_cookie_max_age,
            no_longer_than(defaults::COOKIE_MAX_AGE_LIMIT),
        ),
        (
            "max_staleness",
            settings.max_staleness,
            defaults::MAX_STALENESS_RANGE,
        ),
        (
            "store_timeout",
            settings.store_timeout,
            defaults::TIMEOUT_RANGE,
        ),
        (
            "claim_fetch_timeout",
            settings.claim_fetch_timeout,
            defaults::TIMEOUT_RANGE,
        ),
        (
            "purge_interval",
            settings.purge_interval,
            defaults::PURGE_INTERVAL_RANGE,
        ),
    ];
    for (setting, value, allowed) in durations {
        within(setting, value, &allowed)?;
    }
    if let Some(lifetime) = settings.absolute_lifetime {
        within(
            "absolute_lifetime",
            lifetime,
            &defaults::ABSOLUTE_LIFETIME_RANGE,
        )?;
    }
    within(
        "expiry_jitter",
        settings.expiry_jitter,
        &(0.0..=defaults::EXPIRY_JITTER_MAX),
    )?;
    within(
        "blacklist_capacity",
        settings.blacklist_capacity,
        &defaults::BLACKLIST_CAPACITY_RANGE,
    )?;
    within(
        "verified_tokens",
        settings.verified_tokens,
        &(0..=defaults::VERIFIED_TOKENS_MAX),
    )?;
    within(
        "max_concurrent_store_calls",
        settings.max_concurrent_store_calls,
        &defaults::CONCURRENT_STORE_CALLS_RANGE,
    )?;
    within(
        "purge_batch",
        settings.purge_batch,
        &defaults::PURGE_BATCH_RANGE,
    )
}

fn judge_lifetimes(settings: &Settings) -> Result<(), ConfigError> {
    let access = ("access_token_lifetime", settings.access_token_lifetime);
    let shortest = (
        "the shortest life of an access token",
        settings.shortest_access_token_lifetime(),
    );
    shorter(
        ("rotation_grace", settings.rotation_grace),
        shortest,
        "a replayed refresh token would outlive the access tokens that it was exchanged for",
    )?;
    shorter(
        ("max_staleness", settings.max_staleness),
        shortest,
        "an access token would expire before a revocation had to be heard of",
    )?;
    at_least(
        ("refresh_token_lifetime", settings.refresh_token_lifetime),
        access,
        "the session would end before its first refresh",
    )?;
    if let Some(lifetime) = settings.absolute_lifetime {
        at_least(
            ("absolute_lifetime", lifetime),
            access,
            "the session would end before its first refresh",
        )?;
    }
    at_least(
        ("access_cookie_max_age", settings.access_cookie_max_age),
        access,
        "browsers would drop a valid access token",
    )?;
    at_least(
        ("signing_key_rotation", settings.signing_key_rotation),
        access,
        "tokens would outlive the period of the key that signed them",
    )
}

fn judge_statuses(settings: &Settings) -> Result<(), ConfigError> {
    for (setting, status) in [
        ("session_expired_status", settings.session_expired_status),
        ("invalid_claim_status", settings.invalid_claim_status),
    ] {
        if !status.is_client_error() {
            return Err(ConfigError::NotAClientError { setting, status });
        }
    }
    if settings.session_expired_status == settings.invalid_claim_status {
        return Err(ConfigError::StatusesEqual(settings.invalid_claim_status));
    }
    Ok(())
}

fn judge_secrets(settings: &Settings) -> Result<(), ConfigError> {
    if settings.encryption_secret.is_none() && !settings.older_encryption_secrets.is_empty() {
        return Err(ConfigError::OlderEncryptionSecretOnly);
    }
    let mut judged: Vec<&EncryptionSecret> = Vec::new();
    let newest = settings.encryption_secret.iter();
    for secret in newest.chain(&settings.older_encryption_secrets) {
        let name = secret.name().to_owned();
        let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if !(1..=defaults::ENCRYPTION_SECRET_NAME_MAX_BYTES).contains(&name.len())
            || !name.bytes().all(is_name_byte)
        {
            return Err(ConfigError::EncryptionSecretName {
                name,
                limit: defaults::ENCRYPTION_SECRET_NAME_MAX_BYTES,
            });
        }
        let length = secret.expose().len();
        if length < defaults::ENCRYPTION_SECRET_MIN_BYTES {
            return Err(ConfigError::EncryptionSecretTooShort {
                name,
                length,
                least: defaults::ENCRYPTION_SECRET_MIN_BYTES,
            });
        }
        for earlier in &judged {
            if earlier.name() == name {
                return Err(ConfigError::EncryptionSecretNamesEqual(name));
            }
            if earlier.has_same_bytes(secret) {
                let earlier = earlier.name().to_owned();
                return Err(ConfigError::EncryptionSecretsEqual(earlier, name));
            }
        }
        judged.push(secret);
    }
    Ok(())
}

fn within<T: PartialOrd + Debug + Copy>(
    setting: &'static str,
    value: T,
    allowed: &RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        setting,
        value: format!("{value:?}"),
        allowed: format!("{:?} to {:?}", allowed.start(), allowed.end()),
    })
}

fn shorter(
    (setting, value): (&'static str, Duration),
    (limit_name, limit): (&'static str, Duration),
    reason: &'static str,
) -> Result<(), ConfigError> {
    if value < limit {
        return Ok(());
    }
    Err(ConfigError::TooLong {
        setting,
        value,
        limit_name,
        limit,
        reason,
    })
}

fn at_least(
    (setting, value): (&'static str, Duration),
    (least_name, least): (&'static str, Duration),
    reason: &'static str,
) -> Result<(), ConfigError> {
    if value >= least {
        return Ok(());
    }
    Err(ConfigError::TooShort {
        setting,
        value,
        least_name,
        least,
        reason,
    })
}
