//! Cookie headers: one line of the input is one header line.

use session_core::fuzzing;

const LINES: &[u8] =
    b"theme=dark; sAccessToken=abc.def; sRefreshToken=x%2By\nsIdRefreshToken=1; q=\"a; b\"";

/// E1 to E6, J8: no bytes cause a panic, and cookies are counted wherever they stand.
#[test]
fn cookie_header() {
    assert!(read(LINES));
    bolero::check!(name = "cookie_header").for_each(|input: &[u8]| {
        read(input);
        read(&fuzz::edited(&[LINES], input));
    });
}

fn read(text: &[u8]) -> bool {
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    fuzzing::cookie_header(&lines)
}
