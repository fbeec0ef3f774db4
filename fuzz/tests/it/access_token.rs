//! Access tokens: the text, and the JSON inside.

use session_core::fuzzing;

const HEADER: &[u8] = br#"{"alg":"RS256","typ":"JWT","kid":"d-1700000000000","version":"5"}"#;
const PAYLOAD: &[u8] = br#"{"sub":"user-1","rsub":"user-1","tId":"public","iat":1700000000,"exp":1700003600,"sessionHandle":"2f9d3f0e-0000-4000-8000-000000000001","refreshTokenHash1":"00ff","parentRefreshTokenHash1":null,"antiCsrfToken":null,"iss":"https://api.example.com/auth","a":[1.5,{"b":"c"}]}"#;

/// J8, A8–A16: no text and no edit of a good one causes a panic or is read in two ways.
#[test]
fn access_token() {
    assert!(fuzzing::access_token_json(HEADER, PAYLOAD));
    let good = fuzzing::access_token_of(HEADER, PAYLOAD);
    assert!(fuzzing::access_token(&good));
    bolero::check!(name = "access_token").for_each(|input: &[u8]| {
        if let Ok(text) = str::from_utf8(input) {
            fuzzing::access_token(text);
        }
        fuzzing::access_token_json(HEADER, input);
        fuzzing::access_token_json(input, PAYLOAD);

        let text = fuzz::edited(&[good.as_bytes()], input);
        if let Ok(text) = str::from_utf8(&text) {
            fuzzing::access_token(text);
        }
        let (header, payload) = input.split_at(input.len() / 2);
        fuzzing::access_token_json(&fuzz::edited(&[HEADER], header), PAYLOAD);
        fuzzing::access_token_json(HEADER, &fuzz::edited(&[PAYLOAD], payload));
    });
}
