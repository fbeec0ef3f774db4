//! What we sign is accepted, across rotations of the key; what we refuse is refused, for the same
//! reason.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use judges::{Judge, Library, Verdict};
use serde_json::{Map, Value, json};
use session_core::{
    KeyId, SessionError, VerifyOptions, config::AccessKeyKind, verify::PresentedAntiCsrf,
};
use session_testkit::http::{
    TestApp,
    client::{Mode, claims, segment},
    signer::Signer,
};

use crate::court::{judge, on_every_library, server, stranger};

on_every_library! {
    a_token_is_read_as_we_wrote_it,
    a_rotation_is_followed_with_the_librarys_own_cache,
    a_key_that_was_removed_is_one_that_never_was,
    a_key_that_served_its_time_is_one_that_never_was,
    what_we_refuse_is_refused,
}

/// Wire case 62: the token verifies with the key of its name in the set, and says to others what it
/// says to us.
async fn a_token_is_read_as_we_wrote_it(library: Library) {
    let app = server().await;
    let payload = json!({
        "name": "Zoë \u{1f600} \"\\/\u{2028}",
        "numbers": [0, -1, 0.1, 1e-7, 123_456_789.5, 9_007_199_254_740_991_i64],
        "nested": { "a": [null, true, { "b": "" }] },
        "st-role": { "v": ["admin"], "t": 1_700_000_000_000_i64 },
    });
    let alice = app.log_in_with_payload("alice", payload).await;
    let token = alice.access_token();
    let verdicts = judge(library, &app).judge(app.now_s(), &[&token]).await;
    let [Verdict::Claims(heard)] = &*verdicts else {
        panic!("{verdicts:?}");
    };
    let heard: Value = serde_json::from_str(heard).unwrap();
    assert_eq!(heard, claims(&token));
}

/// A library that has just fetched the keys when a new one is made, and will not fetch again for a
/// while, still knows the new one by the time that it signs (wire §1.4).
async fn a_rotation_is_followed_with_the_librarys_own_cache(library: Library) {
    let app = server().await;
    let mut judge = judge(library, &app);
    let before = token(&app).await;
    assert_eq!(heard(&mut judge, &app, &before).await, "accepted");

    app.sessions().rotate_signing_key().await.unwrap();
    let published = token(&app).await;
    assert_eq!(segment(&published, 0)["kid"], segment(&before, 0)["kid"]);
    assert_eq!(heard(&mut judge, &app, &published).await, "accepted");

    app.advance(PUBLISHED_BEFORE_USE);
    let after = token(&app).await;
    assert_ne!(segment(&after, 0)["kid"], segment(&before, 0)["kid"]);
    for token in [&after, &before] {
        assert_eq!(heard(&mut judge, &app, token).await, "accepted");
    }
}

/// The key that was taken away because it may have leaked verifies nothing for whoever asks for the
/// keys from now on.
async fn a_key_that_was_removed_is_one_that_never_was(library: Library) {
    let app = server().await;
    let before = token(&app).await;
    app.sessions().rotate_signing_key().await.unwrap();
    app.advance(PUBLISHED_BEFORE_USE);
    let after = token(&app).await;
    let leaked = KeyId::try_from(segment(&before, 0)["kid"].as_str().unwrap()).unwrap();
    assert!(app.sessions().remove_key(&leaked).await.unwrap());

    let mut judge = judge(library, &app);
    let unknown = words(library, A_KEY_NOT_IN_THE_SET);
    assert_eq!(heard(&mut judge, &app, &before).await, unknown);
    assert_eq!(heard(&mut judge, &app, &after).await, "accepted");
    assert_eq!(ours(&app, &before).await, A_KEY_NOT_IN_THE_SET[0]);
}

/// Whoever has the keys already may accept its tokens until he asks for them again.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_key_is_known_for_as_long_as_the_keys_are_kept() {
    for (library, minutes) in [(Library::Jose, 10), (Library::PyJwt, 5)] {
        let app = server().await;
        let token = token(&app).await;
        let mut judge = judge(library, &app);
        assert_eq!(heard(&mut judge, &app, &token).await, "accepted");

        app.sessions().rotate_signing_key().await.unwrap();
        let leaked = KeyId::try_from(segment(&token, 0)["kid"].as_str().unwrap()).unwrap();
        assert!(app.sessions().remove_key(&leaked).await.unwrap());
        app.advance(Duration::from_secs(minutes * 60 - 1));
        assert_eq!(heard(&mut judge, &app, &token).await, "accepted");
        app.advance(Duration::from_secs(2));
        let unknown = words(library, A_KEY_NOT_IN_THE_SET);
        assert_eq!(heard(&mut judge, &app, &token).await, unknown);
    }
}

/// D4, wire §1.4: a dynamic key leaves the set when its last token has expired.
async fn a_key_that_served_its_time_is_one_that_never_was(library: Library) {
    let app = server().await;
    let before = token(&app).await;
    app.advance(Duration::from_hours(168 + 2));
    let after = token(&app).await;

    let mut judge = judge(library, &app);
    let unknown = words(library, A_KEY_NOT_IN_THE_SET);
    assert_eq!(heard(&mut judge, &app, &before).await, unknown);
    assert_eq!(heard(&mut judge, &app, &after).await, "accepted");
    assert_eq!(ours(&app, &before).await, A_KEY_NOT_IN_THE_SET[0]);
}

/// B3: the clock of who verifies may be a little behind that of the node that issued.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_behind_matters_to_one_alone() {
    let app = server().await;
    let token = token(&app).await;
    for (library, verdict) in [
        (Library::Jose, "accepted"),
        (Library::JsonWebToken, "accepted"),
        (Library::PyJwt, "ImmatureSignatureError"),
        (Library::SuperTokensNode, "accepted"),
    ] {
        let verdicts = judge(library, &app).judge(app.now_s() - 1, &[&token]).await;
        assert_eq!(verdicts[0].as_str(), verdict, "{library:?}");
    }
}

/// Security A1, A2, A3, B1, C2, D1: forgeries, and what each makes of them.
async fn what_we_refuse_is_refused(library: Library) {
    let app = server().await;
    let mut judge = judge(library, &app);
    let (mut seen, mut expected) = (Vec::new(), Vec::new());
    for ((what, verdicts), token) in VERDICTS.iter().zip(forgeries(&app).await) {
        seen.push((what, ours(&app, &token).await));
        expected.push((what, verdicts[0].to_owned()));
        seen.push((what, heard(&mut judge, &app, &token).await));
        expected.push((what, words(library, *verdicts).to_owned()));
    }
    assert_eq!(seen, expected, "{library:?} and we");
}

/// One token for each of [`VERDICTS`].
async fn forgeries(app: &TestApp) -> [String; VERDICTS.len()] {
    let (old, stranger) = (app.signer().await, stranger().await);
    let expired = token(app).await;
    app.sessions().rotate_signing_key().await.unwrap();
    app.advance(Duration::from_hours(1));
    let new = app.signer().await;
    let token = token(app).await;
    let (header, claims) = (segment(&token, 0), claims(&token));
    assert_eq!(header["kid"], new.key_id());

    let with = |value: &Value, name: &str, member: Value| {
        let mut value = value.clone();
        value[name] = member;
        value
    };
    let mut for_ever = claims.clone();
    for_ever.as_object_mut().unwrap().remove("exp");
    let altered = with(&claims, "sub", json!("bob"));
    let [encoded_header, _, signature] = segments(&token);
    let unsigned = |alg: &str, signature: &str| {
        let header = encode(&with(&header, "alg", json!(alg)));
        format!("{header}.{}.{signature}", encode(&altered))
    };
    [
        expired,
        old.sign(&header, &claims),
        stranger.sign(&header, &claims),
        stranger.sign(&with(&header, "kid", json!("d-1")), &claims),
        format!("{encoded_header}.{}.{signature}", encode(&altered)),
        unsigned("none", ""),
        unsigned("none", signature),
        mac_under_the_public_key(&new, &with(&header, "alg", json!("HS256")), &altered),
        new.sign_otherwise(&header, &claims).remove(1),
        new.sign(
            &header,
            &with(&claims, "iss", json!("https://else.example/auth")),
        ),
        new.sign(&header, &for_ever),
        new.sign(&header, &with(&claims, "stt", json!(1))),
        for_another_service(app).await,
    ]
}

/// What we and each of the others say to a forgery: that it is none, or why it is one.
type Verdicts = [&'static str; 5];

/// In the order of [`forgeries`]. Where others accept what we refuse, they were not asked to look:
/// the SDK never looks for an issuer, and `jsonwebtoken` cannot be told to demand an end.
const VERDICTS: [(&str, Verdicts); 13] = [
    (
        "expired",
        [
            "the access token has expired",
            "ERR_JWT_EXPIRED",
            "jwt expired",
            "ExpiredSignatureError",
            "TRY_REFRESH_TOKEN",
        ],
    ),
    (
        "signed with another key of ours than it says",
        ANOTHER_SIGNATURE,
    ),
    ("signed with somebody else's key", ANOTHER_SIGNATURE),
    ("under a key that is not in the set", A_KEY_NOT_IN_THE_SET),
    ("another user", ANOTHER_SIGNATURE),
    (
        "another user, without a signature",
        [
            NOT_OURS,
            "ERR_JOSE_ALG_NOT_ALLOWED",
            "jwt signature is required",
            "InvalidAlgorithmError",
            "TRY_REFRESH_TOKEN",
        ],
    ),
    ("`alg` none beside a signature", ANOTHER_ALGORITHM),
    ("a MAC under the public key", ANOTHER_ALGORITHM),
    ("RS512 with our key", ANOTHER_ALGORITHM),
    (
        "another issuer",
        [
            "the access token has another issuer",
            "ERR_JWT_CLAIM_VALIDATION_FAILED",
            "jwt issuer invalid. expected: http://localhost:3000/auth",
            "InvalidIssuerError",
            "accepted",
        ],
    ),
    (
        "without an end",
        [
            NOT_OURS,
            "ERR_JWT_CLAIM_VALIDATION_FAILED",
            "accepted",
            "MissingRequiredClaimError",
            "UNAUTHORISED",
        ],
    ),
    ("of another kind", NOT_OF_A_SESSION),
    ("for another service", NOT_OF_A_SESSION),
];

/// Our own signature, on what is no session's.
const NOT_OF_A_SESSION: Verdicts = [
    NOT_OURS,
    "not a session's",
    "not a session's",
    "InvalidTokenError",
    "UNAUTHORISED",
];

const ANOTHER_SIGNATURE: Verdicts = [
    "the access token's signature is wrong",
    "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    "invalid signature",
    "InvalidSignatureError",
    "TRY_REFRESH_TOKEN",
];

const ANOTHER_ALGORITHM: Verdicts = [
    NOT_OURS,
    "ERR_JOSE_ALG_NOT_ALLOWED",
    "invalid algorithm",
    "InvalidAlgorithmError",
    "TRY_REFRESH_TOKEN",
];

const A_KEY_NOT_IN_THE_SET: Verdicts = [
    "the access token names an unknown key",
    "ERR_JWKS_NO_MATCHING_KEY",
    "error in secret or public key callback: Unable to find a signing key that matches '…'",
    "PyJWKClientError",
    "TRY_REFRESH_TOKEN",
];

/// What we say to a text that cannot be a token of ours.
const NOT_OURS: &str = "there is no valid session";

fn words(library: Library, verdicts: Verdicts) -> &'static str {
    verdicts[match library {
        Library::Jose => 1,
        Library::JsonWebToken => 2,
        Library::PyJwt => 3,
        Library::SuperTokensNode => 4,
    }]
}

/// What the library says.
async fn heard(judge: &mut Judge, app: &TestApp, token: &str) -> String {
    let verdicts = judge.judge(app.now_s(), &[token]).await;
    verdicts[0].as_str().to_owned()
}

/// What we say.
async fn ours(app: &TestApp, token: &str) -> String {
    let options = VerifyOptions::new();
    let verify = app
        .sessions()
        .verify(token, PresentedAntiCsrf::NotChecked, &options);
    match verify.await {
        Ok(_) => "accepted".to_owned(),
        Err(SessionError::TryRefreshToken(rejection)) => rejection.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Signed by us for the user, with our issuer and an end: all that a generic library asks for.
async fn for_another_service(app: &TestApp) -> String {
    let claims = Map::from_iter([("sub".to_owned(), json!("alice"))]);
    let (hour, kind) = (Duration::from_hours(1), AccessKeyKind::Dynamic);
    let token = app.sessions().create_jwt(claims, hour, kind).await;
    token.unwrap()
}

async fn token(app: &TestApp) -> String {
    app.log_in_by(Mode::Header, "alice").await.access_token()
}

fn mac_under_the_public_key(signer: &Signer, header: &Value, claims: &Value) -> String {
    let base64 = BASE64_STANDARD.encode(signer.public_key());
    let lines: Vec<_> = base64
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let (begin, end) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");
    let pem = format!("{begin}\n{}\n{end}\n", lines.join("\n"));
    let text = format!("{}.{}", encode(header), encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
    let tag = hmac::sign(&key, text.as_bytes());
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

fn encode(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn segments(token: &str) -> [&str; 3] {
    let mut segments = token.split('.');
    [(); 3].map(|()| segments.next().unwrap())
}

/// For how long a key is in the set before it signs, and the millisecond by which it is younger than
/// one that was made at the same time.
const PUBLISHED_BEFORE_USE: Duration = Duration::from_millis(60_001);
