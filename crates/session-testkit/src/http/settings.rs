//! Settings that a client can see (wire §9).

use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use session_core::{
    AppInfo,
    config::{AntiCsrf, CookiePrefix, CookieSecurity, TokenTransfer},
};

use super::{
    TestApp,
    client::{Mode, claims},
};

/// Wire case 34: the refresh cookie goes to the refresh route alone, wherever that is.
pub async fn the_refresh_cookie_follows_the_base_path(app: &TestApp) {
    let info = || AppInfo::new("http://localhost:3000", "http://localhost:3000");
    for (info, path) in [
        (
            info().api_base_path("/custom/a"),
            "/custom/a/session/refresh",
        ),
        (info().api_base_path("/"), "/session/refresh"),
        (
            info().api_gateway_path("/gateway").api_base_path("/a"),
            "/gateway/a/session/refresh",
        ),
    ] {
        let app = app.of(info, |builder| builder).await.unwrap();
        let alice = app.browser(Mode::Cookie);
        let answer = alice.log_in(json!({ "user": "alice" })).await;
        let cookie = answer.refresh_cookie().unwrap();
        assert_eq!(cookie.attribute("Path"), Some(path));
        app.advance(Duration::from_secs(1));
        let request = alice.request(http::Method::POST, path);
        let answer = request.send().await;
        answer.assert_status(200);
        assert!(answer.refresh_cookie().is_some());
        alice.sign_out().await.assert_cookies_cleared();
        app.post("/x/y/z/session/refresh")
            .send()
            .await
            .assert_status(404);
    }
}

/// Wire case 34: the access cookie goes where it is configured to go, and is cleared there.
pub async fn the_access_cookie_has_the_configured_path(app: &TestApp) {
    let app = app
        .with(|builder| builder.config(|config| config.access_token_path("/act")))
        .await;
    let alice = app.browser(Mode::Cookie);
    let answer = alice.log_in(json!({ "user": "alice" })).await;
    let path = |answer: &super::client::Answer| {
        let cookie = answer.access_cookie().unwrap();
        cookie.attribute("Path").map(str::to_owned)
    };
    assert_eq!(path(&answer).as_deref(), Some("/act"));
    alice.get("/stateless").await.assert_no_session();
    let answer = alice.act(json!([{ "revoke": null }])).await;
    answer.assert_cookies_cleared();
    assert_eq!(path(&answer).as_deref(), Some("/act"));
}

/// Wire case 69: `SameSite`, `Secure` and the anti-CSRF mode follow from the two domains; what
/// browsers would not accept is refused when the service is built.
pub async fn sites_decide_about_cookies(app: &TestApp) {
    for (api, website, same_site, secure, mode) in [
        (
            "https://api.x.io",
            "https://x.io",
            "Lax",
            true,
            AntiCsrf::None,
        ),
        (
            "https://api.x.com",
            "https://x.io",
            "None",
            true,
            AntiCsrf::ViaCustomHeader,
        ),
        (
            "http://127.0.0.1:3000",
            "http://127.0.0.1:9000",
            "Lax",
            false,
            AntiCsrf::None,
        ),
        (
            "https://localhost",
            "http://localhost:3000",
            "None",
            true,
            AntiCsrf::ViaCustomHeader,
        ),
    ] {
        let info = AppInfo::new(api, website);
        let app = app.of(info, |builder| builder).await.unwrap();
        let alice = app.browser(Mode::Cookie);
        let login = alice.log_in(json!({ "user": "alice" })).await;
        let cleared = alice.copy().act(json!([{ "revoke": null }])).await;
        for answer in [&login, &cleared] {
            for cookie in answer.set_cookies() {
                assert_eq!(cookie.attribute("SameSite"), Some(same_site));
                assert_eq!(cookie.attribute("Secure").is_some(), secure);
            }
        }
        let request = alice.request(http::Method::POST, "/stateless");
        let answer = request.without("rid").send().await;
        match mode {
            AntiCsrf::ViaCustomHeader => answer.assert_try_refresh_token(),
            _ => answer.assert_user("alice"),
        };
    }
    let info = AppInfo::new("http://api.x.com", "https://x.io");
    assert!(app.of(info, |builder| builder).await.is_err());
}

/// REQ-36, E3: with prefixed names the plain ones are nobody's, and cookies are set and cleared
/// under the prefixed ones.
pub async fn prefixed_cookies_are_the_only_ones(app: &TestApp) {
    let info = AppInfo::new("https://api.example.com", "https://example.com");
    let app = app
        .of(info, |builder| {
            builder.config(|config| config.cookie_prefix(CookiePrefix::Host))
        })
        .await
        .unwrap();
    let alice = app.browser(Mode::Cookie);
    let answer = alice.log_in(json!({ "user": "alice" })).await;
    let access = answer.set_cookie("__Host-sAccessToken").unwrap();
    assert_eq!(access.attribute("Path"), Some("/"));
    assert_eq!(access.attribute("Domain"), None);
    assert_eq!(access.attribute("Secure"), Some(""));
    assert!(answer.set_cookie("__Secure-sRefreshToken").is_some());
    assert_eq!(answer.set_cookies().len(), 2);
    let token = alice.access_token();
    let plain = app.get("/stateless").cookie("sAccessToken", &token);
    plain.send().await.assert_no_session();
    let tossed = alice.request(http::Method::GET, "/stateless");
    let answer = tossed.cookie("sAccessToken", "tossed").send().await;
    answer.assert_user("alice");
    alice.refresh().await.assert_status(200);
    alice.sign_out().await.assert_cookies_cleared();
}

/// Wire §4.2: a configured domain is on every cookie, cleared ones as well.
pub async fn a_configured_domain_is_on_every_cookie(app: &TestApp) {
    let info = AppInfo::new("https://api.example.com", "https://example.com");
    let app = app
        .of(info, |builder| {
            builder.config(|config| config.cookie_domain(".example.com"))
        })
        .await
        .unwrap();
    let alice = app.browser(Mode::Cookie);
    let login = alice.log_in(json!({ "user": "alice" })).await;
    for answer in [login, alice.refresh().await, alice.sign_out().await] {
        assert_eq!(answer.set_cookies().len(), 2);
        for cookie in answer.set_cookies() {
            let domain = cookie.attribute("Domain").unwrap();
            assert_eq!(domain.trim_start_matches('.'), "example.com");
        }
    }
    assert!(!alice.has_session());
}

/// Wire §5: the statuses are settings.
pub async fn the_statuses_are_the_configured_ones(app: &TestApp) {
    let status = |code| StatusCode::from_u16(code).unwrap();
    let app = app
        .with(|builder| {
            builder.config(|config| {
                config
                    .session_expired_status(status(440))
                    .invalid_claim_status(status(422))
            })
        })
        .await;
    let alice = app.log_in("alice").await;
    app.get("/stateless").send().await.assert_status(440);
    alice.get("/guard/verified").await.assert_status(422);
    app.post(app.refresh_path()).send().await.assert_status(440);
    app.advance(Duration::from_hours(1));
    let answer = alice.get("/stateless").await;
    answer
        .assert_status(440)
        .assert_message("try refresh token");
}

/// Wire §4.6: where only one method is allowed, tokens that come by the other are not there.
pub async fn only_the_allowed_method_counts(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let only = async |transfer| {
        app.beside(|builder| builder.config(|config| config.token_transfer(transfer)))
            .await
    };
    let (access, refresh) = (alice.access_token(), alice.refresh_token());
    let cookies = only(TokenTransfer::Cookie).await;
    let request = cookies.get("/stateless").bearer(&access);
    request.send().await.assert_no_session();
    let request = cookies.get("/stateless").cookie("sAccessToken", &access);
    request.send().await.assert_user("alice");
    let request = cookies.post(cookies.refresh_path()).bearer(&refresh);
    request.send().await.assert_session_over();
    let bob = cookies.log_in_by(Mode::Header, "bob").await;
    bob.get("/stateless").await.assert_user("bob");

    let headers = only(TokenTransfer::Header).await;
    let request = headers.get("/stateless").cookie("sAccessToken", &access);
    request.send().await.assert_no_session();
    let request = headers.get("/stateless").bearer(&access);
    request.send().await.assert_user("alice");
    let request = headers.post(headers.refresh_path());
    let answer = request.cookie("sRefreshToken", &refresh).send().await;
    answer.assert_session_over();
    let request = headers.post(headers.refresh_path()).bearer(&refresh);
    let twice = request
        .cookie("sRefreshToken", "a")
        .cookie("sRefreshToken", "b");
    twice.send().await.assert_status(200);
}

/// J5 (wire §2.9): expiry is spread, by a twentieth of the lifetime at most and only downwards.
pub async fn expiry_is_spread_where_it_is_configured(app: &TestApp) {
    let app = app
        .with(|builder| builder.config(|config| config.expiry_jitter(0.05)))
        .await;
    let mut expiries = std::collections::HashSet::new();
    for _ in 0..20 {
        let alice = app.log_in("alice").await;
        let claims = claims(&alice.access_token());
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((3_420..=3_600).contains(&lifetime), "{lifetime}");
        expiries.insert(lifetime);
        let front_token = alice.front_token();
        assert_eq!(
            json!(front_token.access_expires_at_ms() / 1_000),
            claims["exp"]
        );
    }
    assert!(expiries.len() > 1, "all clients refresh in one second");
}

/// L5: settings that contradict each other are refused when the service is built.
pub async fn contradictions_are_refused_at_the_start(app: &TestApp) {
    let https = || AppInfo::new("https://api.example.com", "https://example.com");
    let http = AppInfo::new("http://localhost:3000", "http://localhost:3000");
    let insecure = app.of(
        AppInfo::new("https://api.x.com", "https://x.io"),
        |builder| builder.config(|config| config.cookie_secure(CookieSecurity::Insecure)),
    );
    assert!(insecure.await.is_err(), "SameSite=None without Secure");
    let secure = app.of(http, |builder| {
        builder.config(|config| config.cookie_secure(CookieSecurity::Secure))
    });
    assert!(secure.await.is_err(), "Secure over http");
    let equal = app.of(https(), |builder| {
        builder.config(|config| config.invalid_claim_status(StatusCode::UNAUTHORIZED))
    });
    assert!(equal.await.is_err(), "one status for two answers");
    let foreign = app.of(https(), |builder| {
        builder.config(|config| config.cookie_domain("evil.example"))
    });
    assert!(foreign.await.is_err(), "another site's domain");
}

/// E11: what would write into a cookie's line, or what no browser would keep, is refused when the
/// service is built.
pub async fn a_cookie_line_cannot_be_written_by_a_setting(app: &TestApp) {
    let https = || AppInfo::new("https://api.example.com", "https://example.com");
    for bad in ["a;b", "a\r\nX: 1", "a b", "a=b", "a,b", "\u{e9}", "a\0", ""] {
        let named = app.of(https(), |builder| {
            builder.config(|config| config.access_cookie_name(bad))
        });
        assert!(named.await.is_err(), "access cookie {bad:?}");
        let named = app.of(https(), |builder| {
            builder.config(|config| config.refresh_cookie_name(bad))
        });
        assert!(named.await.is_err(), "refresh cookie {bad:?}");
    }
    for bad in [
        "example.com; Path=/",
        "example.com\r\nX: 1",
        "exa mple.com",
        "com",
        "192.0.2.1",
        "evil.example",
    ] {
        let domain = app.of(https(), |builder| {
            builder.config(|config| config.cookie_domain(bad))
        });
        assert!(domain.await.is_err(), "domain {bad:?}");
    }
    for bad in ["/a;b", "/a\r\nb", "/a\0b"] {
        let path = app.of(https(), |builder| {
            builder.config(|config| config.access_token_path(bad))
        });
        assert!(path.await.is_err(), "path {bad:?}");
        let base = app.of(https().api_base_path(bad), |builder| builder);
        assert!(base.await.is_err(), "base path {bad:?}");
    }
    // What a URL can say in another way is said in that way.
    let spaced = app
        .of(https(), |builder| {
            builder.config(|config| config.access_token_path("/a b/\u{e9}"))
        })
        .await
        .unwrap();
    let answer = spaced.browser(Mode::Cookie);
    let answer = answer.log_in(json!({ "user": "alice" })).await;
    let path = answer.access_cookie().unwrap().attribute("Path");
    assert_eq!(path, Some("/a%20b/%C3%A9"));
    // In another spelling the domain is the same.
    for good in ["Example.COM", ".example.com", "example.com"] {
        let domain = app.of(https(), |builder| {
            builder.config(|config| config.cookie_domain(good))
        });
        assert!(domain.await.is_ok(), "domain {good:?}");
    }
}
