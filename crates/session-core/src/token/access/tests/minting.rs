//! What is in a token that is made here.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{
    Payload,
    fixtures::{
        EXPIRES_S, ISSUED_S, ISSUER, KEY_ID, at_ms, handle, key, minted, verify, verify_at,
    },
    ids::{TenantId, UserId},
    token::{
        AccessToken, MintError,
        access::{self, AccessClaims},
    },
};

fn segment(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn mint_with(
    payload: &Payload,
    issued_at_s: i64,
    expires_at_s: i64,
) -> Result<AccessToken, MintError> {
    let (user, tenant, handle) = (
        UserId::try_from("user-1").unwrap(),
        TenantId::default(),
        handle(),
    );
    let claims = AccessClaims {
        user: &user,
        tenant: &tenant,
        handle: &handle,
        issuer: ISSUER,
        issued_at_s,
        expires_at_s,
        refresh_token_hash: "00ff",
        anti_csrf_token: Some("anti"),
    };
    let minted = access::mint(key(), &claims, payload)?;
    let read = verify_at(minted.token().expose(), at_ms(issued_at_s * 1000)).unwrap();
    assert_eq!(minted.payload(), read.payload());
    Ok(minted.token().clone())
}

/// Wire case 1: the header is that of version 5.
#[test]
fn the_header_says_what_wire_case_1_asks() {
    let header = segment(&minted(|_| ()), 0);
    assert_eq!(
        header,
        json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID, "version": "5" })
    );
}

/// Wire case 3: every claim is there, with explicit nulls.
#[test]
fn every_claim_of_version_5_is_there() {
    let payload = segment(&minted(|_| ()), 1);
    let expected = json!({
        "sub": "user-1", "rsub": "user-1", "tId": "public", "iat": ISSUED_S, "exp": EXPIRES_S,
        "sessionHandle": handle().as_str(), "refreshTokenHash1": "00ff", "iss": ISSUER,
        "parentRefreshTokenHash1": null, "antiCsrfToken": null,
    });
    assert_eq!(payload, expected);
}

/// Wire §1.2: custom claims stand beside the others and come back; none can replace another (B10).
#[test]
fn the_payload_comes_back_as_it_was_given() {
    let custom =
        json!({ "a": 1, "b": { "c": [1.5, null, "x"] }, "st-role": { "v": ["admin"], "t": 1 } });
    let custom = Payload::try_from(custom.as_object().unwrap().clone()).unwrap();
    let token = mint_with(&custom, ISSUED_S, EXPIRES_S).unwrap();
    let verified = verify(token.expose()).unwrap();
    assert_eq!(Payload::of_claims(verified.payload()), custom);
    assert_eq!(verified.payload().len(), 13);
    assert_eq!(verified.anti_csrf_token(), Some("anti"));
    assert_eq!(verified.refresh_token_hash(), "00ff");
    assert_eq!(verified.recipe_user_id(), verified.user_id());
    assert_eq!(*verified.handle(), handle());
    assert!(verified.tenant().is_default());
}

/// Wire §1.2: no number is in scientific notation.
#[test]
fn numbers_are_written_in_decimal_notation() {
    let custom = json!({ "large": 1e21, "small": 1e-9, "integral": 2.0 });
    let custom = Payload::try_from(custom.as_object().unwrap().clone()).unwrap();
    let token = mint_with(&custom, ISSUED_S, EXPIRES_S).unwrap();
    let text = token.expose().split('.').nth(1).unwrap();
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    assert!(
        text.contains(r#""large":1000000000000000000000.0"#),
        "{text}"
    );
    assert!(text.contains(r#""small":0.000000001"#), "{text}");
    assert!(text.contains(r#""integral":2.0"#), "{text}");
    assert_eq!(
        Payload::of_claims(verify(token.expose()).unwrap().payload()),
        custom
    );
}

/// E12: a token that nobody would accept is not made.
#[test]
fn a_payload_too_large_for_a_token_is_an_error() {
    let payload = |length: usize| {
        Payload::try_from(Map::from_iter([(
            "x".to_owned(),
            json!("y".repeat(length)),
        )]))
        .unwrap()
    };
    let token = mint_with(&payload(5000), ISSUED_S, EXPIRES_S).unwrap();
    verify(token.expose()).unwrap();
    let error = mint_with(&payload(6000), ISSUED_S, EXPIRES_S).unwrap_err();
    assert!(matches!(error, MintError::TooLong { .. }));
}

/// B1, B8: times that no verifier would accept are not written.
#[test]
fn times_out_of_range_are_an_error() {
    for (issued_at_s, expires_at_s) in [
        (5, 5),
        (6, 5),
        (-1, 5),
        (0, 253_402_300_800),
        (i64::MIN, i64::MAX),
    ] {
        let answer = mint_with(&Payload::default(), issued_at_s, expires_at_s);
        assert!(matches!(answer, Err(MintError::Times)));
    }
}

/// K1, K7: nothing prints what is inside.
#[test]
fn tokens_do_not_print_themselves() {
    let token = mint_with(&Payload::default(), ISSUED_S, EXPIRES_S).unwrap();
    assert_eq!(format!("{token:?}"), "AccessToken");
    let verified = verify(token.expose()).unwrap();
    let parsed = access::parse(token.expose()).unwrap();
    for text in [format!("{verified:?}"), format!("{key:?}", key = key())] {
        assert!(!text.contains("user-1") && !text.contains("anti"), "{text}");
    }
    let text = format!("{parsed:?}");
    assert!(
        !text.contains("user-1") && !text.contains(token.expose()),
        "{text}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// B9: seconds in the token and milliseconds in the row agree, and a token serves exactly from
    /// one to the other.
    #[test]
    fn a_token_serves_from_issue_to_expiry(issued_at_s in 0_i64..4_000_000_000, lifetime_s in 1_i64..=3600) {
        let expires_at_s = issued_at_s + lifetime_s;
        let token = mint_with(&Payload::default(), issued_at_s, expires_at_s).unwrap();
        let at = |ms| verify_at(token.expose(), at_ms(ms)).is_ok();
        prop_assert!(at(issued_at_s * 1000));
        prop_assert!(at(expires_at_s * 1000 - 1));
        prop_assert!(!at(expires_at_s * 1000));
        prop_assert_eq!(verify_at(token.expose(), at_ms(issued_at_s * 1000)).unwrap().expires_at_s(), expires_at_s);
    }
}
