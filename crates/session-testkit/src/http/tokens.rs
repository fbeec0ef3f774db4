//! What an access token is, and which ones are accepted (wire §1).

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use session_core::{KeyId, config::AccessKeyKind};

use super::{
    TestApp,
    client::{Browser, Mode, claims, segment},
};

/// Wire case 1: the header of a token names the algorithm, the version and a dynamic key.
pub async fn a_token_names_its_algorithm_version_and_key(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let header = segment(&alice.access_token(), 0);
    let key_id = header["kid"].as_str().unwrap();
    assert_eq!(
        header,
        json!({ "alg": "RS256", "typ": "JWT", "version": "5", "kid": key_id })
    );
    let made_at = key_id.strip_prefix("d-").unwrap();
    assert!(made_at.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(!made_at.is_empty());
}

/// Wire case 2: with static keys, the key is a static one.
pub async fn a_static_key_is_used_where_it_is_configured(app: &TestApp) {
    let app = app
        .with(|builder| builder.config(|config| config.signing_key_kind(AccessKeyKind::Static)))
        .await;
    let alice = app.log_in("alice").await;
    let header = segment(&alice.access_token(), 0);
    assert!(header["kid"].as_str().unwrap().starts_with("s-"));
    alice.get("/stateless").await.assert_user("alice");
}

/// Wire case 3: the claims of a session, with explicit nulls where there is nothing to say.
pub async fn a_token_has_all_claims_of_the_session(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let claims = claims(&alice.access_token());
    let text = |name: &str| claims[name].as_str().unwrap().to_owned();
    assert_eq!(
        claims,
        json!({
            "sub": "alice",
            "rsub": "alice",
            "tId": "public",
            "iat": app.now_s(),
            "exp": app.now_s() + 3_600,
            "iss": "http://localhost:3000/auth",
            "sessionHandle": text("sessionHandle"),
            "refreshTokenHash1": text("refreshTokenHash1"),
            "parentRefreshTokenHash1": null,
            "antiCsrfToken": null,
        })
    );
    let hash = text("refreshTokenHash1");
    assert_eq!(hash.len(), 64);
    assert!(
        hash.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
}

/// Wire case 6: older issuers leave `parentRefreshTokenHash1` and `antiCsrfToken` out, or write
/// another type for the parent.
pub async fn members_that_say_nothing_may_be_missing(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let signer = app.signer().await;
    let header = segment(&alice.access_token(), 0);
    for (parent, anti_csrf) in [
        (None, None),
        (Some(json!(null)), Some(json!(null))),
        (Some(json!(7)), None),
        (Some(json!([])), Some(json!(null))),
    ] {
        let mut claims = claims(&alice.access_token());
        let claims = claims.as_object_mut().unwrap();
        for (name, value) in [
            ("parentRefreshTokenHash1", parent),
            ("antiCsrfToken", anti_csrf),
        ] {
            claims.remove(name);
            claims.extend(value.map(|value| (name.to_owned(), value)));
        }
        let token = signer.sign(&header, &json!(claims));
        app.get("/stateless")
            .bearer(&token)
            .send()
            .await
            .assert_user("alice");
    }
}

/// Wire case 7, C6: a version that is not ours is not recognised, so there is no token at all.
pub async fn a_token_of_another_version_is_none(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let signer = app.signer().await;
    let (header, claims) = parts(&alice);
    for version in [
        json!(5),
        json!("2"),
        json!("05"),
        json!("5abc"),
        json!("5 "),
        json!(""),
        json!("99"),
        json!("6"),
        json!(null),
        json!(["5"]),
    ] {
        let mut header = header.clone();
        header["version"] = version;
        assert_is_none(app, &signer.sign(&header, &claims)).await;
    }
    let mut header = header.clone();
    header.as_object_mut().unwrap().remove("version");
    assert_is_none(app, &signer.sign(&header, &claims)).await;
}

/// Wire case 8: `stt` other than 0 is another kind of token.
pub async fn a_token_of_another_kind_is_none(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let signer = app.signer().await;
    let (header, mut claims) = parts(&alice);
    claims["stt"] = json!(0);
    let token = signer.sign(&header, &claims);
    let answer = app.get("/stateless").bearer(&token).send().await;
    answer.assert_user("alice");
    for kind in [json!(1), json!("0"), json!(null), json!(false), json!(-1)] {
        claims["stt"] = kind;
        assert_is_none(app, &signer.sign(&header, &claims)).await;
    }
}

/// Wire case 13, C5: a token of the other kind of key has to be refreshed, and the refresh gives
/// one of the configured kind.
pub async fn a_token_of_the_other_kind_of_key_is_refreshed(app: &TestApp) {
    let statically = app
        .beside(|builder| builder.config(|config| config.signing_key_kind(AccessKeyKind::Static)))
        .await;
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = statically.log_in_by(mode, "alice").await;
        alice.get("/stateless").await.assert_user("alice");

        let alice = alice.at(app);
        // The static key was made after this node read its keys; it may ask once a second.
        app.advance(Duration::from_secs(2));
        alice.get("/stateless").await.assert_try_refresh_token();
        alice.refresh().await.assert_status(200);
        let header = segment(&alice.access_token(), 0);
        assert!(header["kid"].as_str().unwrap().starts_with("d-"));
        alice.get("/stateless").await.assert_user("alice");
    }
}

/// D4: a removed key no longer verifies, and a refresh gives a token of another one.
pub async fn a_removed_key_no_longer_verifies(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let header = segment(&alice.access_token(), 0);
    let key = KeyId::try_from(header["kid"].as_str().unwrap()).unwrap();
    app.advance(Duration::from_secs(1));
    assert!(app.sessions().remove_key(&key).await.unwrap());

    alice.get("/stateless").await.assert_try_refresh_token();
    alice.refresh().await.assert_status(200);
    let new = segment(&alice.access_token(), 0);
    assert_ne!(new["kid"], header["kid"]);
    alice.get("/stateless").await.assert_user("alice");
}

/// B1, B3, B4: `exp` and `iat` are whole seconds of a sane span, or there is no session.
pub async fn times_out_of_line_are_refused(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let signer = app.signer().await;
    let (header, claims) = parts(&alice);
    let now = app.now_s();
    let leeway = app.sessions().config().clock_leeway().as_secs();
    let too_early = now + i64::try_from(leeway).unwrap() + 1;
    let refused = [
        ("exp", r#""1700003600""#.to_owned()),
        ("exp", "null".to_owned()),
        ("exp", "true".to_owned()),
        ("exp", "[]".to_owned()),
        ("exp", format!("{}.5", now + 60)),
        ("exp", "1e3".to_owned()),
        ("exp", "-1".to_owned()),
        ("exp", "0".to_owned()),
        ("exp", now.to_string()),
        ("exp", (now + 3_601).to_string()),
        ("exp", "9007199254740993".to_owned()),
        ("exp", "9223372036854775807".to_owned()),
        ("exp", "9223372036854775808".to_owned()),
        ("exp", "18446744073709551615".to_owned()),
        ("exp", "1e300".to_owned()),
        ("exp", "1e999".to_owned()),
        ("exp", "9".repeat(400)),
        ("iat", too_early.to_string()),
        ("iat", r#""0""#.to_owned()),
        ("iat", "-1".to_owned()),
        ("nbf", too_early.to_string()),
        ("nbf", r#""0""#.to_owned()),
    ];
    for (name, text) in refused {
        let mut members = claims.as_object().unwrap().clone();
        members.remove(name);
        let rest = json!(members).to_string();
        let payload = format!(r#"{{"{name}":{text},{}"#, &rest[1..]);
        let token = signer.sign_bytes(header.to_string().as_bytes(), payload.as_bytes());
        let answer = app.get("/stateless").bearer(&token).send().await;
        assert_eq!(answer.status(), 401, "{name} {text}");
        answer.assert_tokens_untouched();
    }
    let token = signer.sign(&header, &claims);
    let answer = app.get("/stateless").bearer(&token).send().await;
    answer.assert_user("alice");
}

async fn assert_is_none(app: &TestApp, token: &str) {
    let optional = app.get("/optional").bearer(token).send().await;
    optional.assert_nobody();
    let answer = app
        .request(Method::GET, "/stateless")
        .cookie("sAccessToken", token);
    answer.send().await.assert_no_session();
}

fn parts(browser: &Browser<'_>) -> (Value, Value) {
    let token = browser.access_token();
    (segment(&token, 0), claims(&token))
}
