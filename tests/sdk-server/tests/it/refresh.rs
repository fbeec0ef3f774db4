//! POST /auth/session/refresh.

use http::{HeaderValue, Method, header::AUTHORIZATION, header::COOKIE};
use serde_json::json;

use crate::{
    client::{Client, REFRESH},
    framework::{Framework, on_every_framework},
    server::{Server, request},
};

on_every_framework! {
    a_refresh_gives_a_full_new_set,
    a_refresh_without_a_rid_says_so,
    what_cannot_be_refreshed_is_cleared_both_ways,
    a_token_that_was_used_long_ago_is_a_theft,
    cookies_that_are_there_twice_are_an_error,
    every_refresh_is_counted_and_those_that_were_granted,
}

/// Contract §3 refresh ok: as for the login.
async fn a_refresh_gives_a_full_new_set(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    let login = browser.log_in("ann").await;
    let answer = browser.refresh().await;
    answer.assert_text(200, "refresh success");
    assert_eq!(answer.cookie_names(), ["sAccessToken", "sRefreshToken"]);
    assert_eq!(answer.exposed(), ["front-token", "anti-csrf"]);
    for name in ["front-token", "anti-csrf"] {
        assert_ne!(answer.header(name).unwrap(), login.header(name).unwrap());
    }
    for (name, (value, attributes)) in answer.cookies() {
        let (old, old_attributes) = &login.cookies()[name];
        assert_ne!(value, *old, "{name}");
        let besides_expiry = |of: &[&str]| [of[0], of[2], of[3]].map(str::to_owned);
        assert_eq!(besides_expiry(&attributes), besides_expiry(old_attributes));
    }
    browser.get("/").await.assert_text(200, "ann");

    let mut app = server.app();
    let login = app.log_in("ann").await;
    let answer = app.refresh().await;
    answer.assert_text(200, "refresh success");
    let headers = ["front-token", "st-access-token", "st-refresh-token"];
    assert_eq!(answer.exposed(), headers);
    for name in headers {
        assert_ne!(answer.header(name).unwrap(), login.header(name).unwrap());
    }
    assert!(!answer.has("set-cookie"));
    app.get("/").await.assert_text(200, "ann");
}

/// Contract §1 POST /auth/session/refresh: the text is another, the tokens are there.
async fn a_refresh_without_a_rid_says_so(framework: Framework) {
    let server = Server::shared(framework);
    let mut app = server.app();
    app.log_in("ann").await;
    let mut request = app.request(Method::POST, REFRESH);
    request.headers_mut().remove("rid");
    let answer = app.send(request).await;
    answer.assert_text(200, "refresh failed");
    assert!(answer.has("front-token") && answer.has("st-refresh-token"));
    app.get("/").await.assert_text(200, "ann");
}

/// Contract §3 refresh: no token, garbage, only access cookie, missing anti-csrf.
async fn what_cannot_be_refreshed_is_cleared_both_ways(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let no_token = server.browser();
    let garbage = Client {
        refresh: Some("garbage".to_owned()),
        ..server.browser()
    };
    let garbage_in_a_header = Client {
        refresh: Some("garbage".to_owned()),
        ..server.app()
    };
    let only_access = Client {
        refresh: None,
        ..browser.clone()
    };
    let no_anti_csrf = Client {
        anti_csrf: None,
        ..browser.clone()
    };
    for mut client in [
        no_token,
        garbage,
        garbage_in_a_header,
        only_access,
        no_anti_csrf,
    ] {
        let answer = client.refresh().await;
        answer.assert_refused_and_cleared(&json!({}));
    }
    // Only cleared, and not ended.
    browser.refresh().await.assert_text(200, "refresh success");
}

/// Contract §3 refresh with an already used token: the session is revoked. Ours lets a token be used
/// again for a while, and never one that is more than eight refreshes old.
async fn a_token_that_was_used_long_ago_is_a_theft(framework: Framework) {
    let server = Server::shared(framework);
    for mut client in [server.browser(), server.app()] {
        client.log_in("ann").await;
        let mut thief = client.clone();
        for _ in 0..9 {
            client.refresh().await.assert_text(200, "refresh success");
        }
        let answer = thief.refresh().await;
        answer.assert_refused_and_cleared(&json!({ "message": "token theft detected" }));
        let answer = client.refresh().await;
        answer.assert_refused_and_cleared(&json!({}));
    }
}

/// Contract §3 refresh with two sAccessToken or two sRefreshToken cookies: before the tokens are
/// looked at, and nothing is cleared.
async fn cookies_that_are_there_twice_are_an_error(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let access = browser.access.clone().unwrap();
    let refresh = browser.refresh.clone().unwrap();
    for cookies in [
        format!("sAccessToken=a; sAccessToken={access}; sRefreshToken={refresh}"),
        format!("sAccessToken={access}; sRefreshToken=a; sRefreshToken={refresh}"),
        "sAccessToken=a; sAccessToken=b".to_owned(),
        "sRefreshToken=a; sRefreshToken=b".to_owned(),
    ] {
        let mut request = browser.request(Method::POST, REFRESH);
        let cookies = HeaderValue::try_from(cookies).unwrap();
        request.headers_mut().insert(COOKIE, cookies);
        let answer = browser.send(request).await;
        let text = "The request contains multiple session cookies.";
        assert_eq!(answer.status, 500, "{answer:?}");
        assert!(answer.text().contains(text), "{answer:?}");
        assert!(
            !answer.has("set-cookie") && !answer.has("front-token"),
            "{answer:?}"
        );
    }
    browser.refresh().await.assert_text(200, "refresh success");
}

/// Contract §1 POST /auth/session/refresh, GET /refreshCalledTime and /refreshAttemptedTime.
async fn every_refresh_is_counted_and_those_that_were_granted(framework: Framework) {
    let server = Server::start(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    browser.refresh().await;
    browser.refresh().await;
    assert_eq!(
        server.send(request(Method::POST, REFRESH)).await.status,
        401
    );
    let mut garbage = request(Method::POST, REFRESH);
    let bearer = HeaderValue::from_static("Bearer garbage");
    garbage.headers_mut().insert(AUTHORIZATION, bearer);
    assert_eq!(server.send(garbage).await.status, 401);
    // Neither of these is a refresh.
    assert_eq!(server.get(REFRESH).await.status, 404);
    assert_eq!(
        server.send(request(Method::OPTIONS, REFRESH)).await.status,
        204
    );
    assert_eq!(server.count("/refreshCalledTime").await, 2);
    assert_eq!(server.count("/refreshAttemptedTime").await, 4);

    let mut without_rid = browser.request(Method::POST, REFRESH);
    without_rid.headers_mut().remove("rid");
    assert_eq!(browser.send(without_rid).await.status, 200);
    assert_eq!(server.count("/refreshCalledTime").await, 3);
    assert_eq!(server.count("/refreshAttemptedTime").await, 5);
    let mut twice = browser.request(Method::POST, REFRESH);
    let cookies = HeaderValue::from_static("sRefreshToken=a; sRefreshToken=b");
    twice.headers_mut().insert(COOKIE, cookies);
    assert_eq!(server.send(twice).await.status, 500);
    assert_eq!(server.count("/refreshCalledTime").await, 3);
    assert_eq!(server.count("/refreshAttemptedTime").await, 6);
}
