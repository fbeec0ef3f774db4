//! Security B, C and D: claims, time, kinds of token, keys.

use serde_json::{Value, json};

use crate::{
    fixtures::{
        EXPIRES_S, HEADER, ISSUED_S, at_ms, claims, claims_with, claims_with_raw, key, minted, now,
        policy, refresh_record, sign, signing_record, stranger, vector_json, verify, verify_at,
    },
    ids::{SessionHandle, TenantId, UserId},
    keys::{RefreshKey, SigningKey},
    store::KeyPurpose,
    token::{
        MalformedToken, TokenRejection,
        access::{self, AccessPolicy, VerifiedAccessToken},
        front, refresh,
    },
};

fn assert_claim_refused(name: &'static str, text: &str) {
    let answer = verify(&sign(HEADER, claims_with_raw(name, text)));
    assert!(
        matches!(
            answer,
            Err(TokenRejection::Malformed(_) | TokenRejection::Expired)
        ),
        "{name}: {text} got {answer:?}"
    );
}

/// B1: `exp` is an integer of seconds within the years that are written, in one notation.
#[test]
fn only_an_integer_in_a_sane_range_is_an_expiry() {
    let long = "9".repeat(400);
    for text in [
        "null",
        "\"1700003600\"",
        "true",
        "{}",
        "[1700003600]",
        "1e3",
        "1.5",
        "1700003600.0",
        "1.7000036e9",
        "-1",
        "-0",
        "0",
        "2147483648e0",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "1e18",
        "1e300",
        "1e999",
        "253402300800",
        &long,
    ] {
        assert_claim_refused("exp", text);
        if !["0", "-0"].contains(&text) {
            assert_claim_refused("iat", text);
        }
    }
    for name in ["exp", "iat"] {
        let mut claims = claims();
        claims.remove(name);
        let token = sign(HEADER, Value::Object(claims).to_string());
        assert_eq!(
            verify(&token).unwrap_err(),
            MalformedToken::Claim(name).into()
        );
    }
}

/// B2, wire case 14: valid a millisecond before `exp`, and not at `exp`.
#[test]
fn a_token_ends_at_the_millisecond_of_its_expiry() {
    let token = minted(|_| ());
    verify_at(&token, at_ms(EXPIRES_S * 1000 - 1)).unwrap();
    for late_ms in [0, 1, 1000] {
        let answer = verify_at(&token, at_ms(EXPIRES_S * 1000 + late_ms));
        assert_eq!(answer.unwrap_err(), TokenRejection::Expired);
    }
}

/// B3, B5: clocks may differ by the leeway.
#[test]
fn a_token_from_the_future_is_refused_beyond_the_leeway() {
    let token = minted(|_| ());
    verify_at(&token, at_ms((ISSUED_S - 60) * 1000)).unwrap();
    let answer = verify_at(&token, at_ms((ISSUED_S - 60) * 1000 - 1));
    assert_eq!(answer.unwrap_err(), TokenRejection::IssuedInFuture);
    let answer = verify_at(&token, at_ms((ISSUED_S - 600) * 1000));
    assert_eq!(answer.unwrap_err(), TokenRejection::IssuedInFuture);

    let not_before = |text: &str| verify(&sign(HEADER, claims_with_raw("nbf", text)));
    not_before(&(ISSUED_S + 120).to_string()).unwrap();
    not_before("1e3").unwrap();
    assert_eq!(
        not_before(&(ISSUED_S + 121).to_string()).unwrap_err(),
        TokenRejection::NotYetValid
    );
    assert_eq!(
        not_before("1e300").unwrap_err(),
        TokenRejection::NotYetValid
    );
    assert_eq!(
        not_before("\"1\"").unwrap_err(),
        MalformedToken::Claim("nbf").into()
    );

    for exp in [ISSUED_S, ISSUED_S - 1] {
        assert_claim_refused("exp", &exp.to_string());
    }
}

/// B4: nobody issues tokens for longer than configured.
#[test]
fn a_lifetime_beyond_the_configured_one_is_refused() {
    let token = sign(HEADER, claims_with("exp", json!(EXPIRES_S + 1)));
    assert_eq!(verify(&token).unwrap_err(), TokenRejection::LifetimeTooLong);
    let token = sign(HEADER, claims_with("exp", json!(253_402_300_799_i64)));
    assert_eq!(verify(&token).unwrap_err(), TokenRejection::LifetimeTooLong);
}

/// B8: no clock causes a panic.
#[test]
fn any_clock_gets_an_answer() {
    let token = minted(|_| ());
    for now_ms in [
        i64::MIN,
        -62_135_596_800_000,
        -1,
        0,
        253_402_300_800_000,
        i64::MAX,
    ] {
        assert!(verify_at(&token, at_ms(now_ms)).is_err() || now_ms == i64::MAX);
    }
}

/// B11: ids come back byte for byte, or are refused.
#[test]
fn a_user_id_is_compared_as_it_is() {
    for text in [
        "\"\"",
        "\"a\\u0000b\"",
        "1",
        "[\"user-1\"]",
        "null",
        "{}",
        "true",
    ] {
        for name in ["sub", "rsub"] {
            assert_claim_refused(name, text);
        }
    }
    assert_claim_refused("sub", &format!("\"{}\"", "x".repeat(257)));
    for user in [" user-1 ", "\tuser-1\n", "Zoë", "\u{202e}", "𝔘"] {
        let token = sign(HEADER, claims_with("sub", json!(user)));
        assert_eq!(verify(&token).unwrap().user_id().as_str(), user);
    }
    let naughty = vector_json("blns/blns.json");
    for text in naughty.as_array().unwrap() {
        let text = text.as_str().unwrap();
        let token = sign(HEADER, claims_with("sub", json!(text)));
        match UserId::try_from(text) {
            Ok(user) => assert_eq!(*verify(&token).unwrap().user_id(), user),
            Err(_) => assert!(verify(&token).is_err()),
        }
    }
}

/// Wire case 6, §1.2: a parent hash or an anti-CSRF token that is absent or of another type counts as
/// absent; every other claim is required.
#[test]
fn the_two_optional_claims_may_be_absent_and_no_other() {
    for name in ["parentRefreshTokenHash1", "antiCsrfToken"] {
        let mut without = claims();
        without.remove(name);
        verify(&sign(HEADER, Value::Object(without).to_string())).unwrap();
        let verified = verify(&sign(HEADER, claims_with(name, json!(5)))).unwrap();
        assert_eq!(verified.anti_csrf_token(), None);
    }
    for name in [
        "sub",
        "rsub",
        "tId",
        "iat",
        "exp",
        "sessionHandle",
        "refreshTokenHash1",
        "iss",
    ] {
        let mut without = claims();
        without.remove(name);
        let answer = verify(&sign(HEADER, Value::Object(without).to_string()));
        assert_eq!(answer.unwrap_err(), MalformedToken::Claim(name).into());
        for value in [json!(null), json!({}), json!([]), json!(true)] {
            let answer = verify(&sign(HEADER, claims_with(name, value)));
            assert_eq!(answer.unwrap_err(), MalformedToken::Claim(name).into());
        }
    }
}

/// Wire case 8, C2: `stt` tells a session's tokens from others under the same key.
#[test]
fn a_token_of_another_subtype_is_no_session_token() {
    verify(&sign(HEADER, claims_with("stt", json!(0)))).unwrap();
    for text in [
        "1",
        "2",
        "-1",
        "0.0",
        "\"0\"",
        "null",
        "false",
        "[]",
        "18446744073709551615",
    ] {
        let answer = verify(&sign(HEADER, claims_with_raw("stt", text)));
        assert_eq!(
            answer.unwrap_err(),
            MalformedToken::Claim("stt").into(),
            "{text}"
        );
    }
}

/// Wire case 7, C6: only the version that we issue.
#[test]
fn another_version_or_type_is_refused() {
    for version in [
        "5", "\"2\"", "\"3\"", "\"4\"", "\"05\"", "\"5abc\"", "\"\"", "\"99\"", "null",
    ] {
        let header = HEADER.replace(r#""version":"5""#, &format!("\"version\":{version}"));
        let answer = verify(&sign(header, Value::Object(claims()).to_string()));
        assert_eq!(
            answer.unwrap_err(),
            MalformedToken::Header("version").into(),
            "{version}"
        );
    }
    let header = HEADER.replace(r#","version":"5""#, "");
    let answer = verify(&sign(header, Value::Object(claims()).to_string()));
    assert_eq!(
        answer.unwrap_err(),
        MalformedToken::Header("version").into()
    );
    for kind in ["\"jwt\"", "\"at+jwt\"", "\"\"", "null", "[\"JWT\"]"] {
        let header = HEADER.replace("\"JWT\"", kind);
        let answer = verify(&sign(header, Value::Object(claims()).to_string()));
        assert_eq!(
            answer.unwrap_err(),
            MalformedToken::Header("typ").into(),
            "{kind}"
        );
    }
}

/// C1, C2: no other token of ours is an access token, and an access token is no refresh token.
#[test]
fn the_kinds_of_token_are_not_taken_for_one_another() {
    let refresh_key = RefreshKey::from_record(&refresh_record("r-1", 0)).unwrap();
    let parts = refresh::RefreshTokenParts {
        handle: crate::fixtures::handle(),
        tenant: TenantId::default(),
        generation: 0,
        key: refresh_key.id().clone(),
        anti_csrf: true,
        secret: refresh::RefreshSecret::random().unwrap(),
    };
    let refresh_token = refresh::seal(&parts, &refresh_key);
    let front_token = front::build(&UserId::try_from("user-1").unwrap(), 0, &claims());
    let anti_csrf = parts.secret.anti_csrf_token(&refresh_key, &parts.handle, 0);
    for text in [refresh_token.expose(), &front_token, &anti_csrf] {
        assert_eq!(verify(text).unwrap_err(), MalformedToken::Encoding.into());
    }

    let access_token = minted(|_| ());
    for text in [access_token, front_token, anti_csrf] {
        let token = refresh::RefreshToken::from_text(text);
        assert!(refresh::key_id_of(&token).is_err());
        assert!(refresh::open(&token, &refresh_key).is_err());
    }
}

/// C3: the same key name with another key, and the same key with another issuer.
#[test]
fn another_applications_token_is_refused() {
    let token = access::parse(&minted(|_| ())).unwrap();
    let answer = token.verify(stranger().public(), now(), &policy());
    assert_eq!(answer.unwrap_err(), TokenRejection::BadSignature);
    for issuer in [
        "https://b.example.com/auth",
        "https://api.example.com/auth/",
        "",
        "HTTPS://API.EXAMPLE.COM/auth",
    ] {
        let token = minted(|claims| claims.issuer = issuer);
        assert_eq!(verify(&token).unwrap_err(), TokenRejection::WrongIssuer);
    }
}

/// C5, wire case 13: a key of the other kind.
#[test]
fn a_token_of_the_other_kind_of_key_is_refused() {
    let record = signing_record("s-1", KeyPurpose::AccessStatic, 0);
    let fixed = SigningKey::from_record(&record).unwrap();
    let (user, tenant, handle) = (
        UserId::try_from("user-1").unwrap(),
        TenantId::default(),
        SessionHandle::try_from("handle").unwrap(),
    );
    let claims = access::AccessClaims {
        user: &user,
        tenant: &tenant,
        handle: &handle,
        issuer: &policy().issuer,
        issued_at_s: ISSUED_S,
        expires_at_s: EXPIRES_S,
        refresh_token_hash: "00",
        anti_csrf_token: None,
    };
    let minted = access::mint(&fixed, &claims, &crate::Payload::default()).unwrap();
    let verify = |policy: &AccessPolicy| -> Result<VerifiedAccessToken, TokenRejection> {
        access::parse(minted.token().expose())?.verify(fixed.public(), now(), policy)
    };
    assert_eq!(verify(&policy()).unwrap_err(), TokenRejection::WrongKeyKind);
    verify(&AccessPolicy {
        key_purpose: KeyPurpose::AccessStatic,
        ..policy()
    })
    .unwrap();
}

/// D1, D3, D10: a key's name is looked up and used for nothing else.
#[test]
fn a_key_name_is_judged_before_it_is_looked_up() {
    let with_kid = |kid: &Value| {
        let header = HEADER.replace(r#""d-1700000000000""#, &kid.to_string());
        access::parse(&sign(header, Value::Object(claims()).to_string()))
    };
    for kid in [
        json!(""),
        json!(null),
        json!(1),
        json!(["d-1700000000000"]),
        json!("a b"),
        json!("a\0"),
        json!("é"),
        json!("x".repeat(65)),
    ] {
        assert_eq!(
            with_kid(&kid).unwrap_err(),
            MalformedToken::Header("kid"),
            "{kid}"
        );
    }
    for kid in [
        "';DROP",
        "../../dev/null",
        "%00",
        "https://a:b",
        "D-1700000000000",
    ] {
        let token = with_kid(&json!(kid)).unwrap();
        assert_eq!(token.key_id().as_str(), kid);
        let answer = token.verify(key().public(), now(), &policy());
        assert_eq!(answer.unwrap_err(), TokenRejection::UnknownKey);
    }
    let missing = HEADER.replace(r#","kid":"d-1700000000000""#, "");
    let answer = access::parse(&sign(missing, Value::Object(claims()).to_string()));
    assert_eq!(answer.unwrap_err(), MalformedToken::Header("kid"));
    for text in vector_json("blns/blns.json").as_array().unwrap() {
        if let Ok(token) = with_kid(text) {
            assert_eq!(token.key_id().as_str(), text.as_str().unwrap());
        }
    }
}

/// E16: the whole token and nothing else matches.
#[test]
fn an_anti_csrf_token_matches_itself_only() {
    let token = verify(&minted(|claims| claims.anti_csrf_token = Some("abc"))).unwrap();
    assert!(token.is_anti_csrf_token("abc"));
    for other in ["", "ab", "abcd", "abd", "ABC"] {
        assert!(!token.is_anti_csrf_token(other));
    }
    let without = verify(&minted(|_| ())).unwrap();
    assert!(!without.is_anti_csrf_token(""));
}
