//! The refresh route: what it takes, what it gives, and what it refuses (wire §5, §6).

use std::time::Duration;

use http::Method;
use serde_json::json;
use session_core::{TenantId, UserId};

use super::{
    TestApp,
    client::{Answer, Mode, claims},
};
use crate::faulty_store::Operation;

/// Wire case 58: a refresh answers `{}` with the next tokens and a front token.
pub async fn a_refresh_gives_the_next_tokens(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let (access, refresh) = (alice.access_token(), alice.refresh_token());
        app.advance(Duration::from_secs(10));
        let answer = alice.refresh().await;
        answer.assert_status(200);
        assert_eq!(answer.json(), json!({}));
        assert!(answer.front_token().is_some());
        assert_ne!(alice.access_token(), access);
        assert_ne!(alice.refresh_token(), refresh);
        match mode {
            Mode::Cookie => {
                assert_eq!(answer.set_cookies().len(), 2);
                assert_eq!(answer.exposed(), ["front-token"]);
                let hundred_days = app.now_s() + 100 * 24 * 3_600;
                let expires = answer.refresh_cookie().unwrap().expires_at_s();
                assert_eq!(expires, Some(hundred_days));
            }
            Mode::Header => assert!(answer.set_cookies().is_empty()),
        }
        let (old, new) = (claims(&access), claims(&alice.access_token()));
        assert_eq!(new["sessionHandle"], old["sessionHandle"]);
        assert_eq!(new["parentRefreshTokenHash1"], json!(null));
        assert_eq!(new["iat"], app.now_s());
        assert_eq!(new["exp"], app.now_s() + 3_600);
        assert_ne!(new["refreshTokenHash1"], old["refreshTokenHash1"]);
        alice.get("/database").await.assert_user("alice");
    }
}

/// Wire case 56: a refresh without any token is refused and clears what there may be: it is
/// the first thing that a browser SDK asks.
pub async fn a_refresh_without_a_token_is_refused(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let stranger = app.browser(mode);
        let answer = stranger.refresh().await;
        answer.assert_session_over();
    }
    let bare = app.post(app.refresh_path()).send().await;
    bare.assert_session_over();
}

/// Wire case 57: an access token alone does not refresh; both cookies go.
pub async fn an_access_cookie_alone_does_not_refresh(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let request = app.post(app.refresh_path());
    let request = request.cookie("sAccessToken", &alice.access_token());
    let answer = request.header("rid", "session").send().await;
    answer.assert_session_over();
    alice.get("/database").await.assert_user("alice");
}

/// Wire case 23, F11, F12: what we did not make is refused in one and the same way, never taken
/// for theft, and not looked up.
pub async fn a_forged_refresh_token_is_refused(app: &TestApp) {
    let alice = app.log_in("alice").await;
    app.advance(Duration::from_mins(1));
    alice.refresh().await.assert_status(200);
    let token = alice.refresh_token();
    let mut forged: Vec<String> = [
        "garbage",
        "",
        "a.b.V2",
        "a.b.v2",
        "null",
        "AAECAwQFBgcICQoLnS4MuTX8620aZ3By.cf4c4732fd3b8f8a55b60871950a2f22.V2",
    ]
    .map(str::to_owned)
    .into();
    for (index, byte) in token.bytes().enumerate().step_by(3) {
        let mut flipped = token.clone().into_bytes();
        flipped[index] = if byte == b'A' { b'B' } else { b'A' };
        forged.push(String::from_utf8(flipped).unwrap());
    }
    for length in (1..token.len()).step_by(17) {
        forged.push(token[..length].to_owned());
    }
    forged.extend([
        format!("{token}A"),
        format!("{token}="),
        format!("A{token}"),
        format!("{token}.{token}"),
        token.to_uppercase(),
    ]);
    let calls = app.store().session_calls();
    for forged in forged {
        let path = app.refresh_path();
        for request in [
            app.post(path).cookie("sRefreshToken", &forged),
            app.post(path).bearer(&forged),
        ] {
            request.send().await.assert_session_over();
        }
    }
    assert_eq!(app.store().session_calls(), calls);
    alice.refresh().await.assert_status(200);
    alice.get("/database").await.assert_user("alice");
}

/// Wire case 24, F9: a session that nobody refreshed in time is over, and a refresh does not bring
/// it back.
pub async fn an_expired_session_is_not_refreshed(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let token = alice.refresh_token();
        let handle = alice.handle();
        app.advance(Duration::from_hours(100 * 24));
        for _ in 0..2 {
            let request = app.post(app.refresh_path()).bearer(&token);
            request.send().await.assert_session_over();
        }
        let stored = app.sessions().information(&handle).await;
        assert!(stored.unwrap().is_none());
    }
}

/// A refresh moves the end of a session, up to its absolute lifetime and no further.
pub async fn an_absolute_lifetime_is_not_moved(app: &TestApp) {
    let lifetime = Duration::from_hours(24);
    let app = app
        .with(|builder| {
            builder.config(|config| {
                config
                    .refresh_token_lifetime(Duration::from_hours(12))
                    .absolute_lifetime(lifetime)
            })
        })
        .await;
    let alice = app.log_in("alice").await;
    let end = app.now_s() + 24 * 3_600;
    let expiry = |answer: &Answer| answer.refresh_cookie().unwrap().expires_at_s();
    app.advance(Duration::from_hours(11));
    assert_eq!(expiry(&alice.refresh().await), Some(end - 3_600));
    app.advance(Duration::from_hours(11));
    assert_eq!(expiry(&alice.refresh().await), Some(end));
    app.advance(Duration::from_mins(90));
    assert_eq!(expiry(&alice.refresh().await), Some(end));
    let token = claims(&alice.access_token());
    assert_eq!(token["exp"], end, "no token outlives its session");
    let copy = alice.copy();
    let refresh = alice.refresh_token();
    app.advance(Duration::from_mins(30));
    let request = app.post(app.refresh_path()).bearer(&refresh);
    request.send().await.assert_session_over();
    copy.get("/stateless").await.assert_status(401);
}

/// F10: however a session was ended, a refresh finds nothing and writes nothing.
pub async fn an_ended_session_is_not_refreshed(app: &TestApp) {
    let user = UserId::try_from("alice").unwrap();
    for way in 0..4 {
        let alice = app.log_in("alice").await;
        let handle = alice.handle();
        let sessions = app.sessions();
        match way {
            0 => app.revoke(&handle).await,
            1 => drop(sessions.revoke_all_of_user(&user, None).await.unwrap()),
            2 => {
                let tenant = TenantId::default();
                drop(sessions.revoke_all_of_tenant(&tenant).await.unwrap());
            }
            _ => {
                let copy = alice.copy();
                copy.sign_out().await.assert_status(200);
            }
        }
        let creates = app.store().calls(Operation::Create);
        alice.copy().refresh().await.assert_session_over();
        alice.copy().refresh().await.assert_session_over();
        assert_eq!(app.store().calls(Operation::Create), creates);
        assert!(sessions.information(&handle).await.unwrap().is_none());
    }
}

/// Wire case 74: a slash at the end, a tenant and any `rid` are fine; another case or method is
/// not ours.
pub async fn the_route_is_matched_exactly(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let refresh = |method, path: &str| {
        let request = app.request(method, path);
        request.cookie("sRefreshToken", &alice.refresh_token())
    };
    for path in [
        "/auth/session/refresh",
        "/auth/session/refresh/",
        "/auth/t1/session/refresh",
        "/auth/session/refresh?x=1",
    ] {
        for rid in ["session", "nope", "anti-csrf"] {
            let answer = refresh(Method::POST, path).header("rid", rid).send().await;
            answer.assert_status(200);
            assert!(answer.front_token().is_some());
        }
    }
    for path in [
        "/Auth/session/refresh",
        "/auth/Session/refresh",
        "/auth/session/refresh/x",
        "/auth//session/refresh",
        "/auth/session%2Frefresh",
        "/session/refresh",
    ] {
        let answer = refresh(Method::POST, path).send().await;
        answer.assert_status(404).assert_tokens_untouched();
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = refresh(method, "/auth/session/refresh").send().await;
        assert!(matches!(answer.status(), 404 | 405));
        answer.assert_tokens_untouched();
    }
}

/// Wire §4.6: a header named like the refresh token's is no way to send one.
pub async fn a_refresh_token_comes_as_a_bearer_token(app: &TestApp) {
    let alice = app.log_in_by(Mode::Header, "alice").await;
    let request = app.post(app.refresh_path());
    let answer = request
        .header("st-refresh-token", alice.refresh_token())
        .send()
        .await;
    answer.assert_session_over();
    alice.refresh().await.assert_status(200);
}
