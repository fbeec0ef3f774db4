//! Rocket's requests, read where they are, and core's answers as Rocket's.

use std::io::Cursor;

use bytes::Bytes;
use rocket::http::{HeaderMap, Status};
use rocket::{Request, Response};
use session_core::Sessions;
use session_core::http::{Exchange, HeaderLines, WithCookies};

/// Begins the exchange of a request.
pub(crate) fn exchange(sessions: &Sessions, request: &Request<'_>) -> Exchange {
    let lines = Lines(request.headers());
    // A request of `rocket::local` has no header for them.
    let cookies = request.cookies().iter().map(|own| own.stripped().encoded());
    let (path, lines) = (request.uri().path(), WithCookies::new(&lines, cookies));
    Exchange::new(sessions, &method(request), path.as_str(), &lines)
}

#[expect(
    clippy::expect_used,
    reason = "`http` knows all methods that Rocket does"
)]
fn method(request: &Request<'_>) -> http::Method {
    http::Method::from_bytes(request.method().as_str().as_bytes()).expect("a method")
}

struct Lines<'a>(&'a HeaderMap<'a>);

impl HeaderLines for Lines<'_> {
    fn each<'a>(&'a self, name: &http::HeaderName, see: &mut dyn FnMut(&'a [u8])) {
        for value in self.0.get(name.as_str()) {
            see(value.as_bytes());
        }
    }
}

/// A response of core's.
pub(crate) fn response<'r>(ours: http::Response<Bytes>) -> Response<'r> {
    let (head, body) = ours.into_parts();
    let mut response = Response::new();
    response.set_status(status(head.status));
    replace(&mut response, &head.headers);
    response.set_sized_body(body.len(), Cursor::new(body));
    response
}

/// Completes the head of a response.
pub(crate) fn finish(exchange: &Exchange, response: &mut Response<'_>) {
    let lines = Lines(response.headers());
    let changes = exchange.finish_head(&lines, http::Extensions::new());
    replace(response, changes.headers());
}

/// A status, whether Rocket has a name for it or not.
pub(crate) fn status(status: http::StatusCode) -> Status {
    let code = status.as_u16();
    Status { code }
}

/// Puts `lines` in the place of all lines of the same names.
fn replace(response: &mut Response<'_>, lines: &http::HeaderMap) {
    for name in lines.keys() {
        response.remove_header(name.as_str());
        for line in lines.get_all(name) {
            // They are text, for they were Rocket's before or are core's.
            let value = String::from_utf8_lossy(line.as_bytes()).into_owned();
            response.adjoin_raw_header(name.to_string(), value);
        }
    }
}
