//! What a request's cookies and `Authorization` lines are taken for (security E, wire §4.7).

use session_core::AppInfo;

use super::{
    TestApp,
    client::{Mode, SetCookie},
};

/// Wire case 41, E1: two access cookies leave nobody to believe, whichever stands first; a token
/// in a header is not in doubt.
pub async fn two_access_cookies_have_to_be_refreshed(app: &TestApp) {
    let alice = app.log_in("alice").await.access_token();
    let bob = app.log_in("bob").await.access_token();
    for (first, second) in [
        (alice.as_str(), bob.as_str()),
        (bob.as_str(), alice.as_str()),
        (&alice, "x"),
        ("x", &alice),
        (&alice, ""),
        ("", &alice),
        (&alice, &alice),
    ] {
        let line = format!("sAccessToken={first}; sAccessToken={second}");
        for path in ["/stateless", "/optional", "/guard/optional"] {
            let answer = app.get(path).header("cookie", &line).send().await;
            answer.assert_try_refresh_token();
        }
    }
    let carol = app.log_in_by(Mode::Header, "carol").await.access_token();
    let line = format!("sAccessToken={alice}; sAccessToken={bob}");
    let request = app.get("/stateless").header("cookie", line);
    request.bearer(&carol).send().await.assert_user("carol");
}

/// E2, wire case 41: the same over two `Cookie` lines; an honest split is read whole.
pub async fn cookies_are_read_over_all_lines(app: &TestApp) {
    let alice = app.log_in("alice").await.access_token();
    let honest = app
        .get("/stateless")
        .header("cookie", "theme=dark")
        .cookie("sAccessToken", &alice)
        .header("cookie", "lang=en");
    honest.send().await.assert_user("alice");
    for other in ["x", &alice] {
        let tossed = app
            .get("/stateless")
            .cookie("sAccessToken", &alice)
            .cookie("sAccessToken", other);
        tossed.send().await.assert_try_refresh_token();
    }
}

/// E3, E5: a name is compared byte by byte and never decoded.
pub async fn a_name_that_only_looks_like_ours_is_not_ours(app: &TestApp) {
    let alice = app.log_in("alice").await.access_token();
    for name in [
        "saccesstoken",
        "SACCESSTOKEN",
        "\"sAccessToken\"",
        "%73AccessToken",
        "__Host-sAccessToken",
        "__host-sAccessToken",
        "_[Host-sAccessToken",
        "sAccessToken ",
        "$sAccessToken",
        "sAccessToken[]",
        "st-access-token",
    ] {
        let line = format!("{name}={alice}");
        let answer = app.get("/stateless").header("cookie", &line).send().await;
        answer.assert_no_session();
        let line = format!("{line}; sAccessToken={alice}");
        let answer = app.get("/stateless").header("cookie", line).send().await;
        answer.assert_user("alice");
    }
}

/// E4: quotes have no meaning, so no value hides another cookie, and a quoted value is not ours.
pub async fn quotes_hide_nothing(app: &TestApp) {
    let alice = app.log_in("alice").await.access_token();
    let bob = app.log_in("bob").await.access_token();
    let sandwich = format!(r#"x="a; sAccessToken={bob}; y="; sAccessToken={alice}"#);
    let request = app.get("/stateless").header("cookie", sandwich);
    request.send().await.assert_try_refresh_token();
    let quoted = format!(r#"sAccessToken="{alice}""#);
    let answer = app.get("/stateless").header("cookie", quoted).send().await;
    answer.assert_no_session();
}

/// E5: a value is decoded once.
pub async fn a_value_is_decoded_once(app: &TestApp) {
    let alice = app.log_in("alice").await.access_token();
    let once = alice.replace('.', "%2E");
    let twice = alice.replace('.', "%252E");
    let request = app.get("/stateless");
    let line = format!("sAccessToken={once}");
    request
        .header("cookie", line)
        .send()
        .await
        .assert_user("alice");
    let request = app.get("/stateless");
    let line = format!("sAccessToken={twice}");
    request
        .header("cookie", line)
        .send()
        .await
        .assert_no_session();
}

/// Wire case 42: a refresh with a cookie twice cannot be answered unless it is known where the
/// older one comes from; then that one is taken away and the next refresh works.
pub async fn an_older_cookie_is_cleared_where_its_domain_is_known(app: &TestApp) {
    let info = || AppInfo::new("https://api.example.com", "https://example.com");
    let silent = app.of(info(), |builder| builder).await.unwrap();
    let alice = silent.log_in("alice").await;
    let refresh = alice.refresh_request();
    let answer = refresh.cookie("sRefreshToken", "older").send().await;
    answer.assert_status(500).assert_tokens_untouched();
    alice.refresh().await.assert_status(200);

    let cleaning = app
        .of(info(), |builder| {
            builder.config(|config| config.older_cookie_domain(".example.com"))
        })
        .await
        .unwrap();
    let alice = cleaning.log_in("alice").await;
    let token = alice.refresh_token();
    let calls = cleaning.store().session_calls();
    let refresh = alice.refresh_request();
    let answer = refresh.cookie("sRefreshToken", "older").send().await;
    answer.assert_status(200);
    assert!(answer.json()["message"].is_string());
    assert_eq!(answer.header("front-token"), None);
    assert_eq!(answer.set_cookies().len(), 1);
    assert_is_removal_at(answer.refresh_cookie(), "example.com");
    assert_eq!(cleaning.store().session_calls(), calls);
    assert_eq!(alice.refresh_token(), token, "the host's own cookie stays");

    let request = alice.refresh_request().cookie("sAccessToken", "a");
    let answer = request.cookie("sAccessToken", "b").send().await;
    assert_eq!(answer.set_cookies().len(), 1);
    assert_is_removal_at(answer.access_cookie(), "example.com");

    alice.refresh().await.assert_status(200);
    alice.get("/stateless").await.assert_user("alice");
}

fn assert_is_removal_at(cookie: Option<&SetCookie>, domain: &str) {
    let cookie = cookie.unwrap();
    assert!(cookie.is_removal());
    let at = cookie.attribute("Domain").unwrap();
    assert_eq!(at.strip_prefix('.').unwrap_or(at), domain);
}

/// Wire case 43: the cookie of an older protocol asks for a refresh, which takes it away.
pub async fn the_cookie_of_an_older_protocol_is_refreshed_away(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        for path in ["/stateless", "/optional", "/guard/optional"] {
            let request = alice.request(http::Method::GET, path);
            let answer = request.cookie("sIdRefreshToken", "x").send().await;
            answer.assert_try_refresh_token();
        }
        let request = alice.refresh_request().cookie("sIdRefreshToken", "x");
        let answer = request.send().await;
        answer.assert_status(200);
        assert!(answer.set_cookie("sIdRefreshToken").unwrap().is_removal());
        assert!(answer.access_token().is_some());
    }
    let bare = app.post(app.refresh_path()).cookie("sIdRefreshToken", "x");
    let answer = bare.send().await;
    answer.assert_session_over();
    assert!(answer.set_cookie("sIdRefreshToken").unwrap().is_removal());
}

/// E8: a bearer token as RFC 6750 has it, in any case of the scheme; anything else is none.
pub async fn a_bearer_token_has_one_form(app: &TestApp) {
    let alice = app.log_in_by(Mode::Header, "alice").await.access_token();
    for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer  "] {
        let line = format!("{scheme}{alice}");
        let request = app.get("/stateless").header("authorization", line);
        request.send().await.assert_user("alice");
    }
    let mut lines: Vec<Vec<u8>> = [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer{alice}"),
        format!("Bearer\t{alice}"),
        format!("Basic {alice}"),
        alice.clone(),
        format!("Bearer {alice}, Bearer {alice}"),
        format!("Bearer {alice} {alice}"),
        format!("Bearer \"{alice}\""),
        format!("Bearer token={alice}"),
    ]
    .map(String::into_bytes)
    .into();
    lines.push([b"Bearer ".as_slice(), alice.as_bytes(), b"\xff\xe9"].concat());
    for line in lines {
        let request = app.get("/stateless").header("authorization", &line);
        request.send().await.assert_no_session();
    }
}

/// E8: two `Authorization` lines name two callers, so neither is believed.
pub async fn two_authorization_lines_are_refused(app: &TestApp) {
    let alice = app.log_in_by(Mode::Header, "alice").await;
    let bob = app.log_in_by(Mode::Header, "bob").await.access_token();
    for other in [format!("Bearer {bob}"), "Basic YTpi".to_owned()] {
        let request = alice.request(http::Method::GET, "/stateless");
        let answer = request.header("authorization", &other).send().await;
        answer.assert_no_session();
        let request = app.get("/stateless").header("authorization", &other);
        let answer = request.bearer(&alice.access_token()).send().await;
        answer.assert_no_session();
    }
}

/// E9: a token in the query, the body or a subprotocol is ignored.
pub async fn a_token_anywhere_else_is_ignored(app: &TestApp) {
    let alice = app.log_in("alice").await.access_token();
    for name in ["access_token", "sAccessToken", "token"] {
        let path = format!("/stateless?{name}={alice}");
        app.get(&path).send().await.assert_no_session();
        let form = format!("{name}={alice}");
        let request = app
            .post("/stateless")
            .body("application/x-www-form-urlencoded", form);
        request.send().await.assert_no_session();
    }
    for name in [
        "sec-websocket-protocol",
        "st-access-token",
        "x-access-token",
    ] {
        let request = app.get("/stateless").header(name, &alice);
        request.send().await.assert_no_session();
    }
}
