//! Refresh tokens: the text, and the bytes inside under a good MAC.

use session_core::fuzzing;

/// J8, F11: no text causes a panic; only what we write is opened, whoever computes the MAC.
#[test]
fn refresh_token() {
    let good = fuzzing::refresh_token_of("handle", "public", 7);
    assert!(fuzzing::refresh_token(&good));
    let body = fuzzing::refresh_token_body(&good);
    assert!(fuzzing::authenticated_refresh_token(&body));
    bolero::check!(name = "refresh_token").for_each(|input: &[u8]| {
        if let Ok(text) = str::from_utf8(input) {
            fuzzing::refresh_token(text);
        }
        fuzzing::authenticated_refresh_token(input);

        let text = fuzz::edited(&[good.as_bytes()], input);
        if let Ok(text) = str::from_utf8(&text) {
            assert_eq!(fuzzing::refresh_token(text), text == good);
        }
        fuzzing::authenticated_refresh_token(&fuzz::edited(&[&body], input));
    });
}
