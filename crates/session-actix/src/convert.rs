//! Heads between `http` 0.2, whose types are actix-web's, and `http` 1.x, whose types are core's.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, dev::RequestHead, http::StatusCode, web::Bytes};
use session_core::{
    Sessions,
    http::{Exchange, HeadChanges, HeaderLines},
};

/// Begins the exchange of a request, whose headers are read where they are.
pub(crate) fn exchange(sessions: &Sessions, head: &RequestHead) -> Exchange {
    let lines = Lines(&head.headers);
    Exchange::new(sessions, &method(head), head.uri.path(), &lines)
}

#[expect(clippy::expect_used, reason = "both versions know the same methods")]
pub(crate) fn method(head: &RequestHead) -> http::Method {
    http::Method::from_bytes(head.method.as_str().as_bytes()).expect("a method")
}

struct Lines<'a>(&'a HeaderMap);

impl HeaderLines for Lines<'_> {
    fn each<'a>(&'a self, name: &http::HeaderName, see: &mut dyn FnMut(&'a [u8])) {
        // Not `get_all`: it makes a name of its own of each text that is no standard name.
        for (found, value) in self.0 {
            if found.as_str() == name.as_str() {
                see(value.as_bytes());
            }
        }
    }
}

/// A response of core's. What core left in it is kept for [`finish`].
pub(crate) fn response(response: http::Response<Bytes>) -> HttpResponse {
    let (head, body) = response.into_parts();
    let mut response = HttpResponse::with_body(status(head.status), body).map_into_boxed_body();
    replace(response.headers_mut(), &head.headers);
    response.extensions_mut().insert(head.extensions);
    response
}

/// Completes the head of a response.
pub(crate) fn finish<B>(exchange: &Exchange, response: &mut HttpResponse<B>) {
    let changes = changes(exchange, response);
    apply(&changes, response);
}

/// What is to be changed in the head of a response. It can be asked for once.
pub(crate) fn changes<B>(exchange: &Exchange, response: &mut HttpResponse<B>) -> HeadChanges {
    let left = response.extensions_mut().remove::<http::Extensions>();
    exchange.finish_head(&Lines(response.headers()), left.unwrap_or_default())
}

pub(crate) fn apply<B>(changes: &HeadChanges, response: &mut HttpResponse<B>) {
    if let Some(changed) = changes.status() {
        *response.status_mut() = status(changed);
    }
    replace(response.headers_mut(), changes.headers());
}

#[expect(clippy::expect_used, reason = "both versions know the same codes")]
pub(crate) fn status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).expect("a status code")
}

/// Puts `lines` in the place of all lines of the same names.
#[expect(clippy::expect_used, reason = "both versions allow the same octets")]
fn replace(headers: &mut HeaderMap, lines: &http::HeaderMap) {
    for name in lines.keys() {
        let own = HeaderName::from_bytes(name.as_str().as_bytes()).expect("a header name");
        headers.remove(&own);
        for line in lines.get_all(name) {
            let mut value = HeaderValue::from_bytes(line.as_bytes()).expect("a header value");
            value.set_sensitive(line.is_sensitive());
            headers.append(own.clone(), value);
        }
    }
}
