//! Front tokens: the text, and the JSON inside.

use session_core::fuzzing;

const JSON: &[u8] = br#"{"uid":"user-1","ate":1700003600000,"up":{"iat":1700000000,"exp":1700003600,"sub":"user-1","name":"x"}}"#;

/// J8: no text causes a panic, and what is read is written back as what it was.
#[test]
fn front_token() {
    assert!(fuzzing::front_token_json(JSON));
    bolero::check!(name = "front_token").for_each(|input: &[u8]| {
        if let Ok(text) = str::from_utf8(input) {
            fuzzing::front_token(text);
        }
        fuzzing::front_token_json(input);
        fuzzing::front_token_json(&fuzz::edited(&[JSON], input));
    });
}
