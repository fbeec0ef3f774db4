use proptest::prelude::*;

use super::*;

fn origin(text: &str) -> String {
    Origin::parse(text).unwrap().to_string()
}

/// Wire §9.1: what is kept, what is dropped and which scheme goes without saying.
#[test]
fn a_domain_keeps_scheme_host_and_port_only() {
    for (text, normal) in [
        ("https://api.example.com", "https://api.example.com"),
        (
            " HTTPS://API.Example.com/path?q#f ",
            "https://api.example.com",
        ),
        (
            "http://api.example.com:8080/",
            "http://api.example.com:8080",
        ),
        ("https://api.example.com:443", "https://api.example.com"),
        ("api.example.com", "https://api.example.com"),
        ("api.example.com:8443/x", "https://api.example.com:8443"),
        (".example.com", "https://example.com"),
        ("https://.example.com", "https://example.com"),
        ("localhost:3000", "http://localhost:3000"),
        ("localhost:443", "http://localhost:443"),
        ("localhost:80", "http://localhost"),
        ("https://localhost", "https://localhost"),
        ("127.0.0.1:9000/auth", "http://127.0.0.1:9000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("::1", "http://[::1]"),
        ("[::1]:3000", "http://[::1]:3000"),
        ("https://[2001:DB8:0::1]", "https://[2001:db8::1]"),
        ("http://0x7f.1", "http://127.0.0.1"),
    ] {
        assert_eq!(origin(text), normal, "{text}");
    }
}

/// Wire §9.1, E11: what is no domain, or might smuggle something behind one, is refused.
#[test]
fn a_domain_of_an_unknown_form_is_refused() {
    for text in [
        "",
        "  ",
        "/",
        "/auth",
        "https://",
        "http:///path",
        "ftp://example.com",
        "supertokens://example.com",
        "https://user@example.com",
        "https://user:secret@example.com",
        "https://exa mple.com",
        "https://exa\tmple.com",
        "https://example.com\r\nSet-Cookie: a=b",
        "example.com\n",
        "https://example.com\\@evil.example",
        "https://*.example.com",
        "https://example.com;x",
        "https://example..com",
        "https://example.com.",
        "https://example.com:99999",
        "https://[::1",
        "https://[v1.x]",
        "http://1.2.3.4.5",
        "https://-example.com",
        "nodots",
    ] {
        assert!(Origin::parse(text).is_err(), "{text:?}");
    }
}

/// Wire §9.1, case 34: the base path in all the ways in which people write it.
#[test]
fn a_path_has_a_leading_and_no_trailing_slash() {
    for (text, normal) in [
        ("", ""),
        ("/", ""),
        (" / ", ""),
        ("auth", "/auth"),
        ("/auth/", "/auth"),
        ("/custom/a", "/custom/a"),
        ("/Auth/%41", "/Auth/%41"),
        ("https://example.com/some/path?q", "/some/path"),
        ("HTTPS://Example.com/Some", "/Some"),
        ("example.com/auth", "/auth"),
        ("localhost:3000/auth/", "/auth"),
        ("localhost", ""),
        ("/.netlify/functions", "/.netlify/functions"),
        ("/example.com/auth", "/example.com/auth"),
        ("v1.0/auth", "/v1.0/auth"),
        ("1/auth", "/1/auth"),
        ("localhosts/auth", "/localhosts/auth"),
        ("a/../b", "/b"),
        ("/a b", "/a%20b"),
    ] {
        assert_eq!(path(text).as_deref(), Ok(normal), "{text:?}");
    }
}

/// E11: a path that would end a cookie attribute or a header, or that no request can have.
#[test]
fn a_path_that_breaks_a_cookie_is_refused() {
    for text in [
        "/a;Domain=x",
        "/a\r\nX: y",
        "/a\0",
        "/a\tb",
        "//",
        "/a//b",
        "/a//",
    ] {
        assert!(path(text).is_err(), "{text:?}");
    }
}

/// Wire §9.1: the leading dot of a cookie domain stays, but not before a local host.
#[test]
fn a_cookie_domain_keeps_its_leading_dot() {
    for (text, normal) in [
        ("Example.COM", "example.com"),
        (" .example.com ", ".example.com"),
        ("https://example.com:3000/path", "example.com"),
        (".localhost", "localhost"),
        ("localhost:3000", "localhost"),
        (".127.0.0.1", "127.0.0.1"),
        ("bücher.example", "xn--bcher-kva.example"),
    ] {
        assert_eq!(CookieDomain::parse(text).unwrap().to_string(), normal);
    }
}

/// E11: each character that could add an attribute, a header or a wildcard.
#[test]
fn a_cookie_domain_that_breaks_a_cookie_is_refused() {
    for text in [
        "",
        ".",
        "..example.com",
        "example.com; Secure",
        "example.com;x@example.com",
        "example.com/;a",
        "example.com\r",
        "example.com\r\nSet-Cookie: a=b",
        "exam ple.com",
        "*.example.com",
        "example.com,evil.example",
        "user@example.com",
    ] {
        assert!(CookieDomain::parse(text).is_err(), "{text:?}");
    }
}

/// Texts near enough to domains and paths to come through often.
fn nearly_a_url() -> impl Strategy<Value = String> {
    "(https?://|HTTP://|ftp://|)(\\.|)([a-zA-Z0-9._\u{fc}*-]{0,12}|localhost|127\\.1|\\[::1\\])(:[0-9]{1,5}|)(/[a-zA-Z0-9%.;/ ?#-]{0,12}|)"
}

proptest! {
    /// Wire §9.1, fuzz target `config_normalisation`: what comes out goes in unchanged.
    #[test]
    fn normalising_twice_changes_nothing(text in nearly_a_url()) {
        if let Ok(once) = Origin::parse(&text) {
            prop_assert_eq!(Origin::parse(&once.to_string()).unwrap(), once);
        }
        if let Ok(once) = CookieDomain::parse(&text) {
            prop_assert_eq!(CookieDomain::parse(&once.to_string()).unwrap(), once);
        }
        if let Ok(once) = path(&text) {
            prop_assert_eq!(path(&once), Ok(once.clone()));
        }
    }

    /// E11: whatever the text, the outcome is an error or safe in a header.
    #[test]
    fn no_text_panics_or_comes_out_unsafe(text in any::<String>()) {
        let safe = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && b != b';');
        if let Ok(origin) = Origin::parse(&text) {
            prop_assert!(safe(&origin.to_string()));
        }
        if let Ok(domain) = CookieDomain::parse(&text) {
            prop_assert!(safe(&domain.to_string()));
        }
        if let Ok(path) = path(&text) {
            prop_assert!(safe(&path));
        }
    }
}
