//! What a payload may be.

use serde_json::json;

use super::*;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// B10: the session's own claims cannot be set, neither at creation nor by an update.
#[test]
fn the_sessions_own_claims_cannot_be_set() {
    for name in [
        "sub",
        "iat",
        "exp",
        "sessionHandle",
        "refreshTokenHash1",
        "parentRefreshTokenHash1",
        "antiCsrfToken",
        "rsub",
        "tId",
        "stt",
        "iss",
    ] {
        for value in [json!("x"), json!(0), json!(null)] {
            let object = Map::from_iter([(name.to_owned(), value)]);
            let error = InvalidPayload::ProtectedName(name);
            assert_eq!(Payload::try_from(object.clone()), Err(error.clone()));
            assert_eq!(Payload::default().merged(object.clone()), Err(error));
            assert!(Payload::without_protected_names(object).is_empty());
        }
    }
    assert!(Payload::parse(r#"{"s\u0075b":"x"}"#).is_err());
    Payload::parse(r#"{"Sub":1,"st-role":{"v":[],"t":1},"aud":"x"}"#).unwrap();
}

/// Wire case 4: where the rest shall stand, protected names are dropped.
#[test]
fn protected_names_are_dropped_and_the_rest_stands() {
    let given = object(&json!({ "sub": "x", "iat": 1, "tId": "t", "rsub": "y", "stt": 1, "a": 1 }));
    assert_eq!(
        Payload::without_protected_names(given),
        object(&json!({ "a": 1 }))
    );
}

/// Wire case 63: an update sets, replaces as a whole, and removes.
#[test]
fn an_update_is_laid_over_the_payload() {
    let payload =
        Payload::try_from(object(&json!({ "a": 1, "b": 2, "c": { "d": 1, "e": 2 } }))).unwrap();
    let update = object(&json!({ "a": null, "c": { "d": 3 }, "f": [null], "missing": null }));
    let merged = payload.merged(update).unwrap();
    assert_eq!(
        merged.into_map(),
        object(&json!({ "b": 2, "c": { "d": 3 }, "f": [null] }))
    );
    assert_eq!(payload.as_map().len(), 3);
}

#[test]
fn a_payload_has_no_null_member_but_may_contain_null() {
    assert_eq!(Payload::parse(r#"{"a":null}"#), Err(InvalidPayload::Null));
    Payload::parse(r#"{"a":[null],"b":{"c":null}}"#).unwrap();
}

/// RFC 7519 §4.1.5, B3: a verifier must be able to judge `nbf`.
#[test]
fn not_before_is_a_number() {
    Payload::parse(r#"{"nbf":1700000000.5}"#).unwrap();
    assert_eq!(
        Payload::parse(r#"{"nbf":"now"}"#),
        Err(InvalidPayload::NotBefore)
    );
}

/// H4, J4: the cap is on the text that is stored, to the byte.
#[test]
fn a_payload_has_at_most_16_kib_of_text() {
    let of_length = |length: usize| {
        Payload::try_from(object(
            &json!({ "x": "y".repeat(length - r#"{"x":""}"#.len()) }),
        ))
    };
    assert_eq!(of_length(16 * 1024).unwrap().to_text().len(), 16 * 1024);
    assert_eq!(
        of_length(16 * 1024 + 1),
        Err(InvalidPayload::TooLong {
            length: 16 * 1024 + 1
        })
    );
    let half = of_length(10_000).unwrap();
    let too_much = half.merged(object(&json!({ "z": "y".repeat(10_000) })));
    assert!(matches!(too_much, Err(InvalidPayload::TooLong { .. })));
    assert!(matches!(
        Payload::parse(&" ".repeat(20_000)),
        Err(InvalidPayload::TooLong { .. })
    ));
}

/// A15: what is accepted can be read back from a token.
#[test]
fn a_payload_is_not_nested_more_deeply_than_can_be_read_back() {
    let nested = |depth: usize| {
        let value = (0..depth).fold(json!(1), |inner, _| json!([inner]));
        Payload::try_from(Map::from_iter([("x".to_owned(), value)]))
    };
    let payload = nested(62).unwrap();
    assert_eq!(Payload::parse(&payload.to_text()), Ok(payload));
    assert_eq!(nested(63), Err(InvalidPayload::NotPlain));
    assert_eq!(nested(1000), Err(InvalidPayload::NotPlain));
}

/// K1: no value is printed.
#[test]
fn a_payload_does_not_print_itself() {
    let payload = Payload::parse(r#"{"name":"canary"}"#).unwrap();
    assert_eq!(format!("{payload:?}"), "Payload { .. }");
    let error = Payload::parse(r#"{"canary"}"#).unwrap_err();
    assert!(!format!("{error:?}{error}").contains("canary"));
}
