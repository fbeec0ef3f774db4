//! Where the suite wants another body than the library's own routes and refusals have.
//!
//! Its reference server has handlers for these; here they are what an application writes around the
//! adapter. Status and headers stay the library's.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

/// The answer to a refresh, with the suite's body.
pub(crate) fn of_refresh(mut answer: Response<Bytes>, has_rid: bool) -> Response<Bytes> {
    let text = match answer.status() {
        StatusCode::OK if has_rid => "refresh success",
        StatusCode::OK => "refresh failed",
        StatusCode::INTERNAL_SERVER_ERROR if message(&answer).starts_with(DUPLICATES) => {
            "The request contains multiple session cookies."
        }
        _ => return of_refusal(answer),
    };
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    *answer.body_mut() = Bytes::from_static(text.as_bytes());
    answer
}

/// Any other answer. Whoever has no session gets an empty object.
pub(crate) fn of_refusal(mut answer: Response<Bytes>) -> Response<Bytes> {
    if answer.status() == StatusCode::UNAUTHORIZED && message(&answer) == "unauthorised" {
        *answer.body_mut() = Bytes::from_static(b"{}");
    }
    answer
}

fn message(answer: &Response<Bytes>) -> String {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let message = body.get("message").and_then(Value::as_str);
    message.unwrap_or_default().to_owned()
}

/// What the library says of cookies that it cannot tell apart.
const DUPLICATES: &str = "a session cookie was sent more than once";
