//! Cross-site requests: what a form of another site can send changes nothing (wire §9.3, security
//! E14 to E16).

use std::time::Duration;

use http::Method;
use session_core::config::AntiCsrf;

use super::{
    TestApp,
    client::{Mode, Request},
};

const CHANGING: [Method; 4] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

async fn with_mode(app: &TestApp, mode: AntiCsrf) -> TestApp {
    app.with(|builder| builder.config(|config| config.anti_csrf(mode)))
        .await
}

/// Wire case 49: with tokens, a changing request without one is refused; a `GET` and a route that
/// does not ask are not.
pub async fn a_token_is_asked_of_changing_requests(app: &TestApp) {
    let app = &with_mode(app, AntiCsrf::ViaToken).await;
    let alice = app.log_in("alice").await;
    for method in CHANGING {
        let request = alice.request(method.clone(), "/guard/default");
        request.send().await.assert_user("alice");
        let request = alice.request(method.clone(), "/guard/default");
        let answer = request.without("anti-csrf").send().await;
        answer.assert_try_refresh_token();
        let request = alice.request(method, "/guard/no-anti-csrf");
        let answer = request.without("anti-csrf").send().await;
        answer.assert_user("alice");
    }
    for path in [
        "/session",
        "/stateless",
        "/blacklist",
        "/database",
        "/optional",
    ] {
        let bare = |method| alice.request(method, path).without("anti-csrf");
        bare(Method::GET).send().await.assert_user("alice");
        let answer = bare(Method::POST).send().await;
        answer.assert_try_refresh_token();
    }
    let bare = |path| alice.request(Method::GET, path).without("anti-csrf");
    bare("/guard/default").send().await.assert_user("alice");
    let answer = bare("/guard/anti-csrf").send().await;
    answer.assert_try_refresh_token();
}

/// E16, F21: a token of another session, of an earlier generation, mutilated or doubled is none.
pub async fn only_the_sessions_own_token_will_do(app: &TestApp) {
    let app = &with_mode(app, AntiCsrf::ViaToken).await;
    let alice = app.log_in("alice").await;
    let bob = app.log_in("bob").await;
    let first = alice.anti_csrf().unwrap();
    alice.refresh().await.assert_status(200);
    let current = alice.anti_csrf().unwrap();
    assert_ne!(first, current);
    let post = || {
        alice
            .request(Method::POST, "/stateless")
            .without("anti-csrf")
    };
    for token in [
        "",
        "x",
        &first,
        &bob.anti_csrf().unwrap(),
        &current[1..],
        &format!("{current}A"),
        &format!("{current}="),
        &current.to_uppercase(),
        &alice.access_token(),
    ] {
        let answer = post().header("anti-csrf", token).send().await;
        answer.assert_try_refresh_token();
    }
    let twice = post().header("anti-csrf", &current);
    let answer = twice.header("anti-csrf", &current).send().await;
    answer.assert_try_refresh_token();
    let answer = post().header("anti-csrf", &current).send().await;
    answer.assert_user("alice");
    alice
        .act(serde_json::json!([{ "merge": { "a": 1 } }]))
        .await;
    alice.post("/stateless").await.assert_user("alice");
}

/// Wire case 49 (§6, row 14): where tokens are asked for, a session that has none has to be
/// refreshed, and has one then.
pub async fn a_session_without_a_token_gets_one_by_refreshing(app: &TestApp) {
    let with_tokens = app
        .beside(|builder| builder.config(|config| config.anti_csrf(AntiCsrf::ViaToken)))
        .await;
    let alice = app.log_in("alice").await;
    assert_eq!(alice.anti_csrf(), None);
    let alice = alice.at(&with_tokens);
    alice.get("/stateless").await.assert_user("alice");
    alice.post("/stateless").await.assert_try_refresh_token();
    alice.refresh().await.assert_status(200);
    alice.post("/stateless").await.assert_user("alice");
}

/// Wire case 50: a custom header proves that a script of the website is at work; header sessions
/// need none.
pub async fn a_custom_header_is_asked_of_changing_requests(app: &TestApp) {
    let app = &with_mode(app, AntiCsrf::ViaCustomHeader).await;
    let alice = app.log_in("alice").await;
    for method in CHANGING {
        let request = || {
            alice
                .request(method.clone(), "/guard/default")
                .without("rid")
        };
        let answer = request().send().await;
        answer.assert_try_refresh_token();
        let answer = request().header("rid", "anything").send().await;
        answer.assert_user("alice");
    }
    let get = alice.request(Method::GET, "/stateless").without("rid");
    get.send().await.assert_user("alice");
    let bob = app.log_in_by(Mode::Header, "bob").await;
    let post = bob.request(Method::POST, "/stateless").without("rid");
    post.send().await.assert_user("bob");
}

/// E7: a bearer token that is not the one verified does not switch the check off.
pub async fn a_foreign_bearer_token_does_not_switch_the_check_off(app: &TestApp) {
    for mode in [AntiCsrf::ViaToken, AntiCsrf::ViaCustomHeader] {
        let app = &with_mode(app, mode).await;
        let alice = app.log_in("alice").await;
        let post = alice.request(Method::POST, "/stateless");
        let answer = forged(post).bearer("a.b.c").send().await;
        answer.assert_try_refresh_token();
    }
}

/// E14: whatever a form or an image of another site can send, by whatever method and type, a
/// session in cookies is not acted for.
pub async fn a_cross_site_request_changes_nothing(app: &TestApp) {
    for mode in [AntiCsrf::ViaToken, AntiCsrf::ViaCustomHeader] {
        let app = &with_mode(app, mode).await;
        let alice = app.log_in("alice").await;
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json",
        ] {
            let post = forged(alice.request(Method::POST, "/act"));
            let body = r#"{"steps":[{"revoke":null}]}"#;
            let answer = post.body(content_type, body).send().await;
            answer.assert_try_refresh_token();
        }
        for (name, value) in [
            ("x-http-method-override", "GET"),
            ("x-http-method", "GET"),
            ("x-method-override", "GET"),
            ("sec-fetch-site", "same-origin"),
        ] {
            let post = forged(alice.request(Method::POST, "/stateless"));
            let answer = post.header(name, value).send().await;
            answer.assert_try_refresh_token();
        }
        let head = forged(alice.request(Method::HEAD, "/guard/anti-csrf"));
        head.send().await.assert_status(401);
        for name in ["post", "pOsT"] {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            let answer = forged(alice.request(method, "/act")).send().await;
            assert!((400..500).contains(&answer.status()));
        }
        alice.get("/database").await.assert_user("alice");
    }
}

/// Wire case 59: a refresh is checked, too; refused, it takes the tokens away, asks no store and
/// ends no session.
pub async fn a_refresh_is_checked(app: &TestApp) {
    for mode in [AntiCsrf::ViaToken, AntiCsrf::ViaCustomHeader] {
        let app = &with_mode(app, mode).await;
        let alice = app.log_in("alice").await;
        app.advance(Duration::from_secs(1));
        let calls = app.store().session_calls();
        let copy = alice.copy();
        let answer = forged(copy.refresh_request()).send().await;
        answer.assert_session_over();
        let copy = alice.copy();
        if mode == AntiCsrf::ViaToken {
            let wrong = copy.refresh_request().without("anti-csrf");
            let answer = wrong.header("anti-csrf", "x").send().await;
            answer.assert_session_over();
        }
        assert_eq!(app.store().session_calls(), calls);
        alice.refresh().await.assert_status(200);
        alice.post("/database").await.assert_user("alice");
    }
}

/// E15: neither refresh nor sign-out happens by a link or a form of another site.
pub async fn no_other_site_can_refresh_or_sign_out(app: &TestApp) {
    for mode in [AntiCsrf::ViaToken, AntiCsrf::ViaCustomHeader] {
        let app = &with_mode(app, mode).await;
        let alice = app.log_in("alice").await;
        let token = alice.refresh_token();
        for path in [app.refresh_path(), "/auth/signout"] {
            for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
                let answer = alice.request(method, path).send().await;
                assert!(matches!(answer.status(), 404 | 405));
                answer.assert_tokens_untouched();
            }
        }
        let copy = alice.copy();
        let post = forged(copy.request(Method::POST, "/auth/signout"));
        let answer = post
            .body("application/x-www-form-urlencoded", "a=b")
            .send()
            .await;
        answer.assert_try_refresh_token();
        assert_eq!(alice.refresh_token(), token);
        alice.get("/database").await.assert_user("alice");
        alice.sign_out().await.assert_status(200);
    }
}

/// A request as another site's page makes a browser send it: with the cookies, and without what
/// only a script of the website can add.
fn forged(request: Request<'_>) -> Request<'_> {
    request
        .without("rid")
        .without("anti-csrf")
        .without("fdi-version")
        .without("st-auth-mode")
        .header("origin", "null")
        .header("sec-fetch-site", "cross-site")
}
