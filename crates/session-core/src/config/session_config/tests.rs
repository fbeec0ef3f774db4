use super::super::{CookieSecurity, defaults};
use super::*;

const SECRET: [u8; 32] = [7; 32];

fn builder(api: &str, website: &str) -> SessionConfigBuilder {
    SessionConfig::builder(AppInfo::new(api, website))
}

fn example() -> SessionConfigBuilder {
    builder("https://api.example.com", "https://example.com")
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

fn days(days: u64) -> Duration {
    Duration::from_hours(24 * days)
}

/// The setting that a refusal names.
fn refused(builder: SessionConfigBuilder) -> &'static str {
    match builder.build().unwrap_err() {
        ConfigError::OutOfRange { setting, .. }
        | ConfigError::TooLong { setting, .. }
        | ConfigError::TooShort { setting, .. }
        | ConfigError::NotAClientError { setting, .. } => setting,
        other => panic!("{other}"),
    }
}

/// Wire §0, §9.2: the defaults that existing clients were built for.
#[test]
fn the_defaults_are_those_of_the_wire_format() {
    let config = example().build().unwrap();
    assert_eq!(config.access_token_lifetime(), minutes(60));
    assert_eq!(config.refresh_token_lifetime(), minutes(144_000));
    assert_eq!(config.absolute_lifetime(), None);
    assert!((config.expiry_jitter() - 0.05).abs() < f64::EPSILON);
    assert_eq!(config.rotation_grace(), Duration::from_secs(30));
    assert_eq!(config.theft_detection(), TheftDetection::Enforce);
    assert_eq!(config.signing_key_rotation(), Duration::from_hours(168));
    assert_eq!(config.signing_key_kind(), AccessKeyKind::Dynamic);
    assert_eq!(config.rsa_key_size().bits(), 2048);
    assert_eq!(config.cookies().access_max_age(), days(365));
    assert_eq!(config.cookies().access_name(), "sAccessToken");
    assert_eq!(config.cookies().refresh_name(), "sRefreshToken");
    assert_eq!(config.cookies().access_path(), "/");
    assert_eq!(config.cookies().refresh_path(), "/auth/session/refresh");
    assert_eq!(config.session_expired_status(), 401);
    assert_eq!(config.invalid_claim_status(), 403);
    assert_eq!(config.token_transfer(), TokenTransfer::Any);
    assert_eq!(
        config.access_token_exposure(),
        AccessTokenExposure::CookieOnly
    );
    assert_eq!(config.default_check(), Check::Stateless);
    assert_eq!(config.max_staleness(), Duration::from_secs(5));
}

/// Design §5: what each preset promises.
#[test]
fn the_presets_have_the_lifetimes_that_the_design_gives_them() {
    let terms = |builder: SessionConfigBuilder| {
        let config = builder.build().unwrap();
        (
            config.access_token_lifetime(),
            config.refresh_token_lifetime(),
            config.absolute_lifetime(),
            config.rotation_grace(),
            config.default_check(),
        )
    };
    let grace = Duration::from_secs(30);
    let supertokens = (minutes(60), days(100), None, grace, Check::Stateless);
    assert_eq!(terms(example()), supertokens);
    assert_eq!(terms(example().strict().supertokens()), supertokens);
    assert_eq!(
        terms(example().balanced()),
        (
            minutes(15),
            days(30),
            Some(days(90)),
            grace,
            Check::Blacklist
        )
    );
    assert_eq!(
        terms(example().strict()),
        (
            minutes(5),
            minutes(12 * 60),
            Some(days(1)),
            Duration::from_secs(10),
            Check::Blacklist
        )
    );
    assert_eq!(
        terms(example().strict().balanced()),
        terms(example().balanced())
    );
}

/// Wire case 69: same-site, secure and anti-CSRF as they follow from the two domains.
#[test]
fn same_site_secure_and_anti_csrf_follow_from_the_domains() {
    for (api, website, same_site, secure, anti_csrf) in [
        (
            "https://api.x.io",
            "https://x.io",
            SameSite::Lax,
            true,
            AntiCsrf::None,
        ),
        (
            "https://api.x.com",
            "https://x.io",
            SameSite::None,
            true,
            AntiCsrf::ViaCustomHeader,
        ),
        (
            "http://127.0.0.1:3000",
            "http://127.0.0.1:9000",
            SameSite::Lax,
            false,
            AntiCsrf::None,
        ),
        (
            "https://localhost",
            "http://localhost:3000",
            SameSite::None,
            true,
            AntiCsrf::ViaCustomHeader,
        ),
    ] {
        let config = builder(api, website).build().unwrap();
        assert_eq!(config.cookies().same_site(), same_site, "{api} {website}");
        assert_eq!(config.cookies().is_secure(), secure, "{api} {website}");
        assert_eq!(config.anti_csrf(), anti_csrf, "{api} {website}");
    }
}

/// Wire §9.2: a mode that is set stands, and `VIA_TOKEN` is never a default.
#[test]
fn the_anti_csrf_mode_that_is_set_stands() {
    for mode in [
        AntiCsrf::ViaToken,
        AntiCsrf::ViaCustomHeader,
        AntiCsrf::None,
    ] {
        let config = example().anti_csrf(mode).build().unwrap();
        assert_eq!(config.anti_csrf(), mode);
    }
    let none = example().cookie_same_site(SameSite::None).build().unwrap();
    assert_eq!(none.anti_csrf(), AntiCsrf::ViaCustomHeader);
    let strict = example()
        .cookie_same_site(SameSite::Strict)
        .build()
        .unwrap();
    assert_eq!(strict.anti_csrf(), AntiCsrf::None);
}

/// L5: each range is held at both ends.
#[test]
fn a_value_out_of_its_range_is_refused_by_name() {
    let millisecond = Duration::from_millis(1);
    for (setting, builder) in [
        (
            "access_token_lifetime",
            example().access_token_lifetime(Duration::ZERO),
        ),
        (
            "access_token_lifetime",
            example().access_token_lifetime(days(30) + millisecond),
        ),
        (
            "refresh_token_lifetime",
            example().refresh_token_lifetime(days(400) + millisecond),
        ),
        (
            "absolute_lifetime",
            example().absolute_lifetime(Duration::MAX),
        ),
        (
            "rotation_grace",
            example().rotation_grace(minutes(10) + millisecond),
        ),
        (
            "clock_leeway",
            example().clock_leeway(minutes(1) + millisecond),
        ),
        ("revocation_skew", example().revocation_skew(Duration::ZERO)),
        (
            "signing_key_rotation",
            example()
                .access_token_lifetime(minutes(5))
                .signing_key_rotation(Duration::from_millis(60 * 60 * 1000 - 1)),
        ),
        (
            "access_cookie_max_age",
            example().access_cookie_max_age(days(400) + millisecond),
        ),
        ("max_staleness", example().max_staleness(millisecond)),
        (
            "max_staleness",
            example().max_staleness(minutes(1) + millisecond),
        ),
        ("store_timeout", example().store_timeout(Duration::ZERO)),
        (
            "claim_fetch_timeout",
            example().claim_fetch_timeout(Duration::MAX),
        ),
        ("purge_interval", example().purge_interval(Duration::ZERO)),
        ("purge_batch", example().purge_batch(0)),
        ("blacklist_capacity", example().blacklist_capacity(0)),
        ("verified_tokens", example().verified_tokens(10_000_001)),
        (
            "max_concurrent_store_calls",
            example().max_concurrent_store_calls(0),
        ),
        ("expiry_jitter", example().expiry_jitter(-0.01)),
        ("expiry_jitter", example().expiry_jitter(0.26)),
        ("expiry_jitter", example().expiry_jitter(f64::NAN)),
    ] {
        assert_eq!(refused(builder), setting);
    }
}

/// L5: the ends of the ranges themselves are allowed.
#[test]
fn the_ends_of_the_ranges_are_allowed() {
    for builder in [
        example().expiry_jitter(0.0).rotation_grace(Duration::ZERO),
        example().expiry_jitter(0.25).rotation_grace(minutes(10)),
        example()
            .access_token_lifetime(minutes(60))
            .signing_key_rotation(minutes(60)),
        example()
            .refresh_token_lifetime(days(400))
            .access_cookie_max_age(days(400)),
        example().max_concurrent_store_calls(1).purge_batch(1),
        example().clock_leeway(Duration::ZERO),
        example().strict().absolute_lifetime(None),
    ] {
        builder.build().unwrap();
    }
}

/// L5: what is allowed for an access token leaves room for a grace window and for the blacklist.
#[test]
fn the_shortest_access_token_can_be_configured() {
    example()
        .access_token_lifetime(*defaults::ACCESS_TOKEN_LIFETIME_RANGE.start())
        .rotation_grace(Duration::ZERO)
        .max_staleness(*defaults::MAX_STALENESS_RANGE.start())
        .build()
        .unwrap();
}

/// L5: two times that contradict each other, the jitter taken off.
#[test]
fn times_that_contradict_each_other_are_refused() {
    let short = || example().access_token_lifetime(Duration::from_secs(100));
    for (setting, builder) in [
        (
            "rotation_grace",
            short().rotation_grace(Duration::from_secs(95)),
        ),
        (
            "max_staleness",
            example()
                .access_token_lifetime(Duration::from_secs(5))
                .rotation_grace(Duration::ZERO),
        ),
        (
            "refresh_token_lifetime",
            example().refresh_token_lifetime(minutes(59)),
        ),
        (
            "absolute_lifetime",
            example().absolute_lifetime(minutes(59)),
        ),
        (
            "access_cookie_max_age",
            example().access_cookie_max_age(minutes(59)),
        ),
        (
            "signing_key_rotation",
            example()
                .access_token_lifetime(days(8))
                .refresh_token_lifetime(days(9)),
        ),
    ] {
        assert_eq!(refused(builder), setting);
    }
    short()
        .rotation_grace(Duration::from_secs(94))
        .build()
        .unwrap();
}

/// Wire §9.2, L5: two refusals that a client could not tell apart, or that are no refusals.
#[test]
fn statuses_are_client_errors_and_differ() {
    assert_eq!(
        example()
            .session_expired_status(StatusCode::FORBIDDEN)
            .build()
            .unwrap_err(),
        ConfigError::StatusesEqual(StatusCode::FORBIDDEN)
    );
    assert_eq!(
        refused(example().session_expired_status(StatusCode::OK)),
        "session_expired_status"
    );
    assert_eq!(
        refused(example().invalid_claim_status(StatusCode::INTERNAL_SERVER_ERROR)),
        "invalid_claim_status"
    );
    let config = example()
        .session_expired_status(StatusCode::from_u16(440).unwrap())
        .build()
        .unwrap();
    assert_eq!(config.session_expired_status(), 440);
}

/// L5: at-rest secrets that are too short, unnamed or ambiguous.
#[test]
fn encryption_secrets_are_long_named_and_different() {
    let error = |builder: SessionConfigBuilder| builder.build().unwrap_err();
    assert_eq!(
        error(example().encryption_secret("a", [7; 31])),
        ConfigError::EncryptionSecretTooShort {
            name: "a".to_owned(),
            length: 31,
            least: defaults::ENCRYPTION_SECRET_MIN_BYTES
        }
    );
    for name in ["", "a b", "a\r\n", "é", &"n".repeat(65)] {
        assert!(matches!(
            error(example().encryption_secret(name, SECRET)),
            ConfigError::EncryptionSecretName { .. }
        ));
    }
    let named_a = || example().encryption_secret("a", SECRET);
    assert_eq!(
        error(named_a().older_encryption_secret("a", [8; 32])),
        ConfigError::EncryptionSecretNamesEqual("a".to_owned())
    );
    assert_eq!(
        error(named_a().older_encryption_secret("b", SECRET)),
        ConfigError::EncryptionSecretsEqual("a".to_owned(), "b".to_owned())
    );
    assert_eq!(
        error(example().older_encryption_secret("b", SECRET)),
        ConfigError::OlderEncryptionSecretOnly
    );
    let config = named_a()
        .older_encryption_secret("b", [8; 32])
        .build()
        .unwrap();
    assert_eq!(
        config.encryption_secret().map(EncryptionSecret::name),
        Some("a")
    );
    assert_eq!(config.older_encryption_secrets().len(), 1);
}

/// K7: neither the builder nor the configuration shows a secret when it is logged.
#[test]
fn debug_output_has_no_secret() {
    let builder = example().encryption_secret("named-secret", *b"0123456789abcdef0123456789abcdef");
    for text in [
        format!("{builder:?}"),
        format!("{:?}", builder.clone().build().unwrap()),
    ] {
        assert!(!text.contains("48, 49, 50"));
        assert!(!text.contains("0123456789abcdef"));
    }
}

/// L5: every refusal says which setting, what it is and why.
#[test]
fn a_refusal_says_which_setting_and_why() {
    let message = |builder: SessionConfigBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(
        message(example().max_concurrent_store_calls(0)),
        "max_concurrent_store_calls is 0; it may be 1 to 10000"
    );
    assert_eq!(
        message(
            builder("http://api.example.com", "http://example.com")
                .cookie_secure(CookieSecurity::Secure)
        ),
        "cookie_secure asks for Secure cookies, but api_domain http://api.example.com is http"
    );
    assert_eq!(
        message(example().cookie_domain("*.example.com")),
        "cookie_domain \"*.example.com\" is not a domain: it contains the character '*'"
    );
}
