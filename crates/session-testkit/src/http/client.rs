//! A plain HTTP client, and a browser with the parts of the browser SDK that a server can see
//! (wire §11).

mod answer;
mod browser;
mod jar;
mod raw;
mod request;
mod set_cookie;

pub use answer::Answer;
pub use browser::{Browser, Mode};
pub use raw::{RawAnswer, send_raw};
pub use request::Request;
pub use set_cookie::SetCookie;

use jar::Jar;

/// The JSON of one segment of a compact token: 0 is the header, 1 the payload.
pub fn segment(token: &str, number: usize) -> serde_json::Value {
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

    let segment = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

/// The claims of an access token.
pub fn claims(token: &str) -> serde_json::Value {
    segment(token, 1)
}
