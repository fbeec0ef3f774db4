//! The front token of wire §4.3.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fixtures::claims;

fn user(text: &str) -> UserId {
    UserId::try_from(text).unwrap()
}

/// Wire §4.3: the example there, as far as the order of members does not matter.
#[test]
fn the_example_of_the_wire_specification_is_read_and_written() {
    let text = "eyJ1aWQiOiJ1c2VyLTEiLCJhdGUiOjE3MDAwMDM2MDAwMDAsInVwIjp7ImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJzdWIiOiJ1c2VyLTEiLCJuYW1lIjoiWm/DqyJ9fQ==";
    let token = FrontToken::parse(text).unwrap();
    assert_eq!(*token.user_id(), user("user-1"));
    assert_eq!(token.access_expires_at_ms(), 1_700_003_600_000);
    assert_eq!(token.payload()["name"], "Zoë");
    let written = build(
        token.user_id(),
        token.access_expires_at_ms(),
        token.payload(),
    );
    assert_eq!(FrontToken::parse(&written).unwrap(), token);
    assert_eq!(written.len(), text.len());
}

/// C2, wire case 23: nothing else is a front token.
#[test]
fn what_we_did_not_write_is_refused() {
    let encode = |text: &str| BASE64_STANDARD.encode(text);
    for text in [
        r#"{"uid":"u","ate":1}"#,
        r#"{"uid":"u","ate":1,"up":[]}"#,
        r#"{"uid":"u","ate":"1","up":{}}"#,
        r#"{"uid":"u","ate":1.5,"up":{}}"#,
        r#"{"uid":"","ate":1,"up":{}}"#,
        r#"{"uid":1,"ate":1,"up":{}}"#,
        r#"{"uid":"u","ate":1,"up":{},"more":1}"#,
        r#"{"uid":"u","uid":"u","ate":1,"up":{}}"#,
        "[]",
        "",
    ] {
        assert!(FrontToken::parse(&encode(text)).is_err(), "{text}");
    }
    let good = encode(r#"{"uid":"uu","ate":1,"up":{}}"#);
    FrontToken::parse(&good).unwrap();
    for text in [
        good.replace('=', ""),
        format!("{good}="),
        format!(" {good}"),
        "remove".to_owned(),
        "a".repeat(20_000),
    ] {
        assert!(FrontToken::parse(&text).is_err(), "{text}");
    }
}

/// E10: whatever the claims hold, only base64 reaches a header.
#[test]
fn nothing_in_a_claim_reaches_a_header_as_it_is() {
    let mut payload = claims();
    payload.insert(
        "x".to_owned(),
        json!("\r\nSet-Cookie: a=b\u{2028}\u{85}\0😀"),
    );
    let text = build(&user("a\r\nb: c"), 0, &payload);
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    );
    assert_eq!(*FrontToken::parse(&text).unwrap().payload(), payload);
}

proptest! {
    #[test]
    fn a_front_token_comes_back_as_it_was_built(id in "\\PC{1,60}", ate: i64, name: String, value: f64) {
        let payload = Map::from_iter([(name, json!(value))]);
        let token = FrontToken::parse(&build(&user(&id), ate, &payload)).unwrap();
        prop_assert_eq!(token.user_id().as_str(), id);
        prop_assert_eq!(token.access_expires_at_ms(), ate);
        prop_assert_eq!(token.payload(), &payload);
    }

    /// J8: no text causes a panic.
    #[test]
    fn any_text_gets_an_answer(text: String) {
        prop_assert!(FrontToken::parse(&text).is_err());
    }
}
