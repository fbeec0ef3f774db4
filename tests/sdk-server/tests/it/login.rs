//! POST /login, and what a session is from its first answer on.

use std::time::{Duration, SystemTime};

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents as PublicKeyComponents,
};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use http::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::{
    answer::part_of_token,
    client::Client,
    framework::{Framework, on_every_framework},
    server::{Server, request},
};

on_every_framework! {
    a_client_that_asks_for_cookies_gets_them,
    every_other_client_gets_headers,
    scripts_of_another_origin_read_what_the_suite_looks_for,
    the_front_token_shows_ten_claims_and_no_other,
    a_login_may_be_json_or_a_form,
    a_login_without_a_user_is_refused,
    a_login_as_of_old_has_a_token_of_version_two,
    a_refresh_makes_a_current_session_of_one_as_of_old,
}

/// Contract §1 POST /login, §2 cookie domain, §3 login, cookie.
async fn a_client_that_asks_for_cookies_gets_them(framework: Framework) {
    let server = Server::shared(framework);
    let answer = server.browser().log_in("ann").await;
    let cookies = answer.cookies();
    assert_eq!(answer.cookie_names(), ["sAccessToken", "sRefreshToken"]);
    for (name, path, days) in [
        ("sAccessToken", "Path=/", 365),
        ("sRefreshToken", "Path=/auth/session/refresh", 100),
    ] {
        let (value, attributes) = &cookies[name];
        assert!(!value.is_empty());
        // And no Domain: the suite's host is `localhost`.
        let [at, expires, http_only, same_site] = attributes[..] else {
            panic!("{answer:?}");
        };
        assert_eq!(
            [at, http_only, same_site],
            [path, "HttpOnly", "SameSite=Lax"]
        );
        let expires = httpdate::parse_http_date(expires.strip_prefix("Expires=").unwrap());
        let left = expires.unwrap().duration_since(now()).unwrap();
        let shorter_by = (Duration::from_hours(24) * days).checked_sub(left);
        let short = Duration::ZERO..Duration::from_mins(1);
        assert!(short.contains(&shorter_by.unwrap()), "{answer:?}");
    }
    assert!(answer.has("front-token") && answer.has("anti-csrf"));
    assert_eq!(answer.exposed(), ["front-token", "anti-csrf"]);
    assert!(!answer.has("st-access-token") && !answer.has("st-refresh-token"));
}

/// Contract §1 POST /login, §2 token transfer and anti-csrf, §3 login, header or no st-auth-mode.
async fn every_other_client_gets_headers(framework: Framework) {
    let server = Server::shared(framework);
    for auth_mode in [Some("header"), None] {
        let mut client = Client {
            auth_mode,
            ..server.app()
        };
        let answer = client.log_in("ann").await;
        let headers = ["front-token", "st-access-token", "st-refresh-token"];
        assert!(headers.iter().all(|name| answer.has(name)), "{answer:?}");
        assert_eq!(answer.exposed(), headers);
        assert!(
            !answer.has("set-cookie") && !answer.has("anti-csrf"),
            "{answer:?}"
        );
    }
}

/// Contract §1, global: what the suite looks for among the headers of a login.
async fn scripts_of_another_origin_read_what_the_suite_looks_for(framework: Framework) {
    let server = Server::shared(framework);
    let of_all = [
        "access-control-allow-credentials",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "content-length",
        "content-type",
        "date",
        "front-token",
    ];
    for (mut client, of_its_own) in [
        (server.browser(), vec!["anti-csrf"]),
        (server.app(), vec!["st-access-token", "st-refresh-token"]),
    ] {
        let answer = client.log_in("ann").await;
        for name in of_all.into_iter().chain(of_its_own) {
            assert!(answer.has(name), "{name}: {answer:?}");
        }
    }
}

/// Contract §2 access-token versions, §3 front-token.
async fn the_front_token_shows_ten_claims_and_no_other(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    let answer = browser.log_in("łukasz 馬").await;
    let front_token = answer.front_token();
    let claims = front_token["up"].as_object().unwrap();
    let mut names: Vec<&str> = claims.keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "antiCsrfToken",
        "exp",
        "iat",
        "iss",
        "parentRefreshTokenHash1",
        "refreshTokenHash1",
        "rsub",
        "sessionHandle",
        "sub",
        "tId",
    ];
    assert_eq!(names, expected);
    let expires_at_ms = claims["exp"].as_i64().unwrap() * 1000;
    let expected = json!({ "uid": "łukasz 馬", "ate": expires_at_ms, "up": claims });
    assert_eq!(front_token, expected);
    let access = browser.access.unwrap();
    assert_eq!(part_of_token(&access, 0)["version"], "5");
    assert_eq!(part_of_token(&access, 1), front_token["up"]);
}

/// Contract §1, global: JSON and urlencoded bodies.
async fn a_login_may_be_json_or_a_form(framework: Framework) {
    let server = Server::shared(framework);
    let json = server.post("/login", json!({ "userId": "ann lee" })).await;
    json.assert_text(200, "ann lee");
    let mut form = request(Method::POST, "/login");
    let urlencoded = "application/x-www-form-urlencoded".parse().unwrap();
    form.headers_mut().insert(CONTENT_TYPE, urlencoded);
    *form.body_mut() = "userId=ann+lee".into();
    server.send(form).await.assert_text(200, "ann lee");
}

/// Contract §1 POST /login: there is no session without a user.
async fn a_login_without_a_user_is_refused(framework: Framework) {
    let server = Server::shared(framework);
    for body in [json!({}), json!({ "userId": "" }), json!([]), Value::Null] {
        let answer = server.post("/login", body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(!answer.has("front-token"));
    }
}

/// Contract §1 POST /login-2.18: the tokens, and nothing that says that scripts may read them.
async fn a_login_as_of_old_has_a_token_of_version_two(framework: Framework) {
    let server = Server::shared(framework);
    let login = json!({ "userId": "ann", "payload": { "plan": "pro" } });
    let answer = server.post("/login-2.18", login).await;
    answer.assert_text(200, "");
    assert!(answer.exposed().is_empty() && !answer.has("set-cookie"));
    assert!(!answer.header("st-refresh-token").unwrap().is_empty());

    let front_token = answer.front_token();
    let expires_at_ms = front_token["ate"].as_i64().unwrap();
    let expected = json!({ "uid": "ann", "ate": expires_at_ms, "up": { "plan": "pro" } });
    assert_eq!(front_token, expected);
    let now_ms = session_core::clock::unix_ms(now());
    let an_hour = 3_600_000 - 60_000..=3_600_000;
    assert!(an_hour.contains(&(expires_at_ms - now_ms)), "{answer:?}");

    let token = answer.header("st-access-token").unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("{token}");
    };
    let json = |part: &str| -> Value {
        serde_json::from_slice(&BASE64_STANDARD.decode(part).unwrap()).unwrap()
    };
    let expected = json!({ "alg": "RS256", "typ": "JWT", "version": "2" });
    assert_eq!(json(header), expected);
    let claims = json(claims);
    let expected = json!({
        "sessionHandle": claims["sessionHandle"],
        "userId": "ann",
        "refreshTokenHash1": claims["refreshTokenHash1"],
        "userData": { "plan": "pro" },
        "expiryTime": expires_at_ms,
        "timeCreated": expires_at_ms - 3_600_000,
    });
    assert_eq!(claims, expected);
    assert!(claims["sessionHandle"].is_string() && claims["refreshTokenHash1"].is_string());
    let signed = token.rsplit_once('.').unwrap().0;
    let keys = server.get("/auth/jwt/jwks.json").await.json();
    let component = |name: &str| {
        let text = keys["keys"][0][name].as_str().unwrap();
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    };
    let key = PublicKeyComponents {
        n: component("n"),
        e: component("e"),
    };
    let signature = BASE64_STANDARD.decode(signature).unwrap();
    let algorithm = &RSA_PKCS1_2048_8192_SHA256;
    let verified = key.verify(algorithm, signed.as_bytes(), &signature);
    verified.expect("a token that is signed with the published key");
}

/// Contract §1 POST /login-2.18: a refresh gets a current token, with the claims.
async fn a_refresh_makes_a_current_session_of_one_as_of_old(framework: Framework) {
    let server = Server::shared(framework);
    let mut app = server.app();
    let login = json!({ "userId": "ann", "payload": { "plan": "pro" } });
    app.post_json("/login-2.18", &login)
        .await
        .assert_text(200, "");
    let answer = app.refresh().await;
    answer.assert_text(200, "refresh success");
    let claims = answer.claims();
    assert_eq!(
        (&claims["sub"], &claims["plan"]),
        (&json!("ann"), &json!("pro"))
    );
    let access = app.access.clone().unwrap();
    assert_eq!(part_of_token(&access, 0)["version"], "5");
    app.get("/").await.assert_text(200, "ann");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock is the machine's"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
