//! CORS, on every answer.
//!
//! Not a layer of `tower-http`: the suite wants an origin that does not depend on the request, 204
//! to every OPTIONS request, and `*` where an answer has it.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        },
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// Answers preflights, and lets the suite's page read everything else.
pub(crate) async fn allow_the_page(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        let headers = [
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    } else {
        next.run(request).await
    };
    let headers: &mut HeaderMap = response.headers_mut();
    // What is the same for everybody is open to everybody already.
    headers
        .entry(ACCESS_CONTROL_ALLOW_ORIGIN)
        .or_insert(HeaderValue::from_static(ORIGIN));
    let credentials = HeaderValue::from_static("true");
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
    response
}

/// Where the suite's page is, whatever port this process has.
pub(crate) const ORIGIN: &str = "http://localhost:8080";

const METHODS: &str = "GET,PUT,POST,DELETE";

const HEADERS: &str = "content-type,rid,fdi-version,anti-csrf,authorization,st-auth-mode";
