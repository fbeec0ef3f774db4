//! One thing taken for another: tokens of another kind, of another application, of nobody
//! (security C).

use std::time::Duration;

use http::Method;
use serde_json::{Map, json};
use session_core::{
    AppInfo,
    config::{AccessKeyKind, AntiCsrf},
};

use super::{TestApp, client::Mode};

/// C1: a refresh token is no access token.
pub async fn a_refresh_token_is_no_access_token(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let refresh = alice.refresh_token();
        let answer = app.get("/stateless").bearer(&refresh).send().await;
        answer.assert_no_session();
        let request = app.get("/stateless").cookie("sAccessToken", &refresh);
        request.send().await.assert_no_session();
        let request = app.get("/optional").cookie("sAccessToken", &refresh);
        request.send().await.assert_nobody();
    }
}

/// C1: an access token is no refresh token, and presenting it as one ends nothing.
pub async fn an_access_token_is_no_refresh_token(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let access = alice.access_token();
    for request in [
        app.post(app.refresh_path()).bearer(&access),
        app.post(app.refresh_path())
            .cookie("sRefreshToken", &access),
    ] {
        request.send().await.assert_session_over();
    }

    alice.get("/database").await.assert_user("alice");
    alice.refresh().await.assert_status(200);
}

/// C2: what else a client is given, or what we sign for others, is no access token.
pub async fn no_other_token_of_ours_is_an_access_token(app: &TestApp) {
    let app = app
        .with(|builder| builder.config(|config| config.anti_csrf(AntiCsrf::ViaToken)))
        .await;
    let alice = app.browser(Mode::Cookie);
    let login = alice.log_in(json!({ "user": "alice" })).await;
    let mut others = vec![
        login.header("front-token").unwrap().to_owned(),
        login.anti_csrf().unwrap().to_owned(),
    ];
    let lookalike = login.front_token().unwrap().payload().clone();
    let own = session_core::Payload::without_protected_names(lookalike.clone());
    for (payload, kind) in [
        (own, AccessKeyKind::Dynamic),
        (lookalike.clone(), AccessKeyKind::Dynamic),
        (lookalike, AccessKeyKind::Static),
        (Map::new(), AccessKeyKind::Dynamic),
    ] {
        // Refusing to make one is as good as not accepting it.
        if let Ok(token) = app
            .sessions()
            .create_jwt(payload, Duration::from_mins(1), kind)
            .await
        {
            others.push(token);
        }
    }
    assert!(others.len() > 3, "no token was made for others");
    for token in others {
        let answer = app.get("/stateless").bearer(&token).send().await;
        answer.assert_status(401).assert_tokens_untouched();
        let request = app.get("/stateless").cookie("sAccessToken", &token);
        request.send().await.assert_status(401);
    }
}

/// C3: another application's token, under a key of the same name, is not ours.
pub async fn another_applications_token_is_refused(app: &TestApp) {
    let info = AppInfo::new("http://localhost:4000", "http://localhost:4000");
    let other = app.of(info, |builder| builder).await.unwrap();
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = other.log_in_by(mode, "alice").await;
        alice.get("/stateless").await.assert_user("alice");
        let alice = alice.at(app);
        alice.get("/stateless").await.assert_try_refresh_token();
        alice.get("/optional").await.assert_try_refresh_token();
        alice.refresh().await.assert_session_over();
    }
}

/// C4: a session belongs to the tenant that it was made in, whatever path it is refreshed on.
pub async fn a_session_stays_in_its_tenant(app: &TestApp) {
    let alice = app.browser(Mode::Cookie);
    alice
        .log_in(json!({ "user": "alice", "tenant": "t1" }))
        .await
        .assert_status(200);
    let request = app
        .post("/auth/t2/session/refresh")
        .cookie("sRefreshToken", &alice.refresh_token())
        .header("rid", "session");
    let answer = request.send().await;
    if answer.status() == 200 {
        let front_token = answer.front_token().unwrap();
        assert_eq!(front_token.payload()["tId"], "t1");
    } else {
        answer.assert_status(401);
    }
    let user = session_core::UserId::try_from("alice").unwrap();
    let other = session_core::TenantId::try_from("t2").unwrap();
    let ended = app.sessions().revoke_all_of_user(&user, Some(&other)).await;
    assert!(ended.unwrap().is_empty());
    alice.get("/database").await.assert_user("alice");
}

/// F13: what a copy of the database knows of a refresh token is no refresh token.
pub async fn a_hash_is_no_refresh_token(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let front_token = alice.front_token();
    let hash = front_token.payload()["refreshTokenHash1"].as_str().unwrap();
    for token in [hash, alice.handle().as_str()] {
        let request = app
            .request(Method::POST, app.refresh_path())
            .cookie("sRefreshToken", token);
        request.send().await.assert_session_over();
    }
    alice.get("/database").await.assert_user("alice");
}
