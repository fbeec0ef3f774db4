use super::super::{AppInfo, SessionConfig, SessionConfigBuilder};
use super::*;

fn builder(api: &str, website: &str) -> SessionConfigBuilder {
    SessionConfig::builder(AppInfo::new(api, website))
}

fn example() -> SessionConfigBuilder {
    builder("https://api.example.com", "https://example.com")
}

fn cookies(builder: SessionConfigBuilder) -> CookieSettings {
    builder.build().unwrap().cookies().clone()
}

/// Wire case 34: the paths of both cookies.
#[test]
fn the_cookies_have_the_paths_of_the_routes_that_read_them() {
    for (base, access, paths) in [
        ("/auth", "", ("/", "/auth/session/refresh")),
        ("/custom/a", "/", ("/", "/custom/a/session/refresh")),
        ("/", "/access", ("/access", "/session/refresh")),
        ("/auth", "/access/", ("/access", "/auth/session/refresh")),
    ] {
        let app =
            AppInfo::new("https://api.example.com", "https://example.com").api_base_path(base);
        let cookies = cookies(SessionConfig::builder(app).access_token_path(access));
        assert_eq!((cookies.access_path(), cookies.refresh_path()), paths);
    }
}

/// Wire §9.2: what the application says about its cookies goes before what follows from domains.
#[test]
fn what_is_configured_wins_over_what_is_derived() {
    let strict = cookies(example().cookie_same_site(SameSite::Strict));
    assert_eq!(strict.same_site(), SameSite::Strict);
    let insecure = cookies(example().cookie_secure(CookieSecurity::Insecure));
    assert!(!insecure.is_secure());
}

/// Wire §9.1: cookie domains are normalised, a leading dot included.
#[test]
fn a_cookie_domain_is_normalised() {
    for (text, normal) in [
        ("Example.com", "example.com"),
        (" .EXAMPLE.com", ".example.com"),
        ("https://api.example.com:3000", "api.example.com"),
    ] {
        let cookies = cookies(example().cookie_domain(text));
        assert_eq!(cookies.domain(), Some(normal));
    }
    let local = builder("http://localhost:3000", "http://localhost").cookie_domain(".localhost");
    assert_eq!(cookies(local).domain(), Some("localhost"));
    let address = builder("http://127.0.0.1:1", "http://localhost").cookie_domain("127.0.0.1");
    assert_eq!(cookies(address).domain(), Some("127.0.0.1"));
    let unicode = builder("https://api.bücher.example", "https://bücher.example");
    assert_eq!(
        cookies(unicode.cookie_domain("BÜCHER.example")).domain(),
        Some("xn--bcher-kva.example")
    );
    assert_eq!(cookies(example()).domain(), None);
}

/// E11, L5: a cookie domain that injects something, is a wildcard or covers strangers.
#[test]
fn a_cookie_domain_with_something_behind_it_is_refused() {
    for text in [
        "example.com; Secure",
        "example.com\r\nSet-Cookie: a=b",
        "example.com\r",
        "exam ple.com",
        "*.example.com",
        "",
        ".",
    ] {
        let error = example().cookie_domain(text).build().unwrap_err();
        assert!(
            matches!(
                error,
                ConfigError::InvalidDomain {
                    setting: "cookie_domain",
                    ..
                }
            ),
            "{text:?}: {error}"
        );
    }
}

/// E11, L5: a public suffix, with or without a dot, of both sections of the list.
#[test]
fn a_cookie_domain_that_is_a_public_suffix_is_refused() {
    for (api, suffix) in [
        ("https://api.example.com", "com"),
        ("https://api.example.co.uk", "co.uk"),
        ("https://ann.github.io", ".github.io"),
    ] {
        let error = builder(api, api).cookie_domain(suffix).build().unwrap_err();
        assert!(
            matches!(
                error,
                ConfigError::PublicSuffix { .. } | ConfigError::InvalidDomain { .. }
            ),
            "{error}"
        );
    }
}

/// E11, L5: browsers drop a cookie for a domain that the API is not in.
#[test]
fn a_cookie_domain_that_does_not_cover_the_api_is_refused() {
    for (api, domain) in [
        ("https://api.example.com", "other.example"),
        ("https://api.example.com", "v1.api.example.com"),
        ("https://notexample.com", "example.com"),
        ("http://127.0.0.1", "0.0.1.local"),
        ("http://127.0.0.1", "127.0.0.2"),
        ("http://[::1]", "::2"),
    ] {
        let error = builder(api, api).cookie_domain(domain).build().unwrap_err();
        assert!(
            matches!(error, ConfigError::ForeignCookieDomain { .. }),
            "{domain}: {error}"
        );
    }
}

/// Wire §4.7, case 42: the older domain may be a domain or no attribute at all, but not the one in
/// use.
#[test]
fn the_older_cookie_domain_is_another_one_than_the_one_in_use() {
    let older = |builder: SessionConfigBuilder| cookies(builder).older_domain().map(str::to_owned);
    assert_eq!(older(example()), None);
    assert_eq!(
        older(example().older_cookie_domain(".example.com")).as_deref(),
        Some(".example.com")
    );
    assert_eq!(
        older(
            example()
                .cookie_domain("example.com")
                .older_cookie_domain("")
        )
        .as_deref(),
        Some("")
    );
    for same in [
        example().older_cookie_domain(""),
        example()
            .cookie_domain("example.com")
            .older_cookie_domain(".example.com"),
    ] {
        assert_eq!(
            same.build().unwrap_err(),
            ConfigError::OlderCookieDomainInUse
        );
    }
    let foreign = example().older_cookie_domain("other.example").build();
    assert!(matches!(
        foreign.unwrap_err(),
        ConfigError::ForeignCookieDomain {
            setting: "older_cookie_domain",
            ..
        }
    ));
}

/// E11: a path that ends the attribute, breaks the line or is not absolute.
#[test]
fn an_access_token_path_that_breaks_a_cookie_is_refused() {
    for text in ["/a;Secure", "/a\r\nb", "/\0", "a", "example.com/a", "//"] {
        let error = example().access_token_path(text).build().unwrap_err();
        assert!(
            matches!(
                error,
                ConfigError::InvalidPath {
                    setting: "access_token_path",
                    ..
                }
            ),
            "{text:?}: {error}"
        );
    }
    let long = "/a".repeat(513);
    assert!(example().access_token_path(long).build().is_err());
}

/// E11, REQ-30: a cookie's name is a token, and nobody else's.
#[test]
fn a_cookie_name_that_is_no_token_or_taken_is_refused() {
    for (name, reason) in [
        ("", InvalidCookieName::NotAToken),
        ("a b", InvalidCookieName::NotAToken),
        ("a=b", InvalidCookieName::NotAToken),
        ("a;b", InvalidCookieName::NotAToken),
        ("a\r\nb", InvalidCookieName::NotAToken),
        ("\"a\"", InvalidCookieName::NotAToken),
        ("café", InvalidCookieName::NotAToken),
        ("sFrontToken", InvalidCookieName::Reserved),
        ("sidrefreshtoken", InvalidCookieName::Reserved),
    ] {
        for (setting, builder) in [
            ("access_cookie_name", example().access_cookie_name(name)),
            ("refresh_cookie_name", example().refresh_cookie_name(name)),
        ] {
            assert_eq!(
                builder.build().unwrap_err(),
                ConfigError::InvalidCookieName {
                    setting,
                    name: name.to_owned(),
                    reason
                }
            );
        }
    }
    let long = "n".repeat(defaults::COOKIE_NAME_MAX_BYTES + 1);
    assert!(example().access_cookie_name(long).build().is_err());
    assert_eq!(
        example()
            .access_cookie_name("a")
            .refresh_cookie_name("a")
            .build()
            .unwrap_err(),
        ConfigError::CookieNamesEqual("a".to_owned())
    );
}

/// REQ-36: each prefix on the cookie that can bear it.
#[test]
fn a_prefix_is_put_where_browsers_accept_it() {
    let names = |prefix| {
        let cookies = cookies(example().cookie_prefix(prefix));
        (
            cookies.access_name().to_owned(),
            cookies.refresh_name().to_owned(),
        )
    };
    assert_eq!(
        names(CookiePrefix::Plain),
        ("sAccessToken".to_owned(), "sRefreshToken".to_owned())
    );
    assert_eq!(
        names(CookiePrefix::Secure),
        (
            "__Secure-sAccessToken".to_owned(),
            "__Secure-sRefreshToken".to_owned()
        )
    );
    assert_eq!(
        names(CookiePrefix::Host),
        (
            "__Host-sAccessToken".to_owned(),
            "__Secure-sRefreshToken".to_owned()
        )
    );
}

/// E11, REQ-36: a prefix whose rules the other settings break, in any case and also by hand.
#[test]
fn a_prefix_that_browsers_would_reject_is_refused() {
    let http = || builder("http://localhost:3000", "http://localhost:3000");
    for (builder, expected) in [
        (
            http().cookie_prefix(CookiePrefix::Host),
            InvalidCookieName::PrefixNeedsSecure,
        ),
        (
            http().cookie_prefix(CookiePrefix::Secure),
            InvalidCookieName::PrefixNeedsSecure,
        ),
        (
            http().access_cookie_name("__http-x"),
            InvalidCookieName::PrefixNeedsSecure,
        ),
        (
            example()
                .cookie_prefix(CookiePrefix::Host)
                .cookie_domain("example.com"),
            InvalidCookieName::PrefixForbidsDomain,
        ),
        (
            example()
                .cookie_prefix(CookiePrefix::Host)
                .access_token_path("/app"),
            InvalidCookieName::PrefixNeedsRootPath,
        ),
        (
            example().refresh_cookie_name("__HOST-r"),
            InvalidCookieName::PrefixNeedsRootPath,
        ),
    ] {
        assert!(
            matches!(
                builder.build().unwrap_err(),
                ConfigError::InvalidCookieName { reason, .. } if reason == expected
            ),
            "{expected:?}"
        );
    }
}

/// L5: browsers drop `Secure` cookies that come over `http`.
#[test]
fn secure_cookies_over_http_are_refused() {
    let error = builder("http://api.example.com", "http://example.com")
        .cookie_secure(CookieSecurity::Secure)
        .build()
        .unwrap_err();
    assert_eq!(
        error,
        ConfigError::SecureCookiesOverHttp {
            api_domain: "http://api.example.com".to_owned()
        }
    );
}

/// L5, wire case 69 (last part): `SameSite=None` without `Secure`, derived or asked for.
#[test]
fn cookies_that_are_none_but_not_secure_are_refused() {
    for refused in [
        builder("http://api.x.com", "http://x.io"),
        builder("http://api.x.io", "https://x.io"),
        builder("http://api.x.io", "http://x.io").cookie_same_site(SameSite::None),
        builder("https://api.x.com", "https://x.io").cookie_secure(CookieSecurity::Insecure),
        builder("http://localhost:3000", "https://x.io"),
    ] {
        assert!(matches!(
            refused.build().unwrap_err(),
            ConfigError::SameSiteNoneWithoutSecure { .. }
        ));
    }
}

/// Wire §4.6: no error where both ends are local, or where no cookie is ever set.
#[test]
fn cookies_that_are_none_but_not_secure_are_left_alone_where_nobody_minds() {
    let local = builder("http://localhost:3000", "https://127.0.0.1:3001");
    assert_eq!(cookies(local).same_site(), SameSite::None);
    let headers = builder("http://api.x.com", "http://x.io").token_transfer(TokenTransfer::Header);
    assert!(!cookies(headers).is_secure());
}
