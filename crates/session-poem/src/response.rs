//! Core's answers as poem's responses and errors.

use bytes::Bytes;
use poem::{Body, Response, error::ResponseError, http::StatusCode};
use session_core::{
    SessionError,
    http::{Exchange, Refusal},
};

use crate::SessionRejection;

impl ResponseError for SessionRejection {
    fn status(&self) -> StatusCode {
        self.0.status()
    }

    fn as_response(&self) -> Response {
        from_core(self.0.to_response())
    }
}

/// The refusal for an error of an operation in a handler. The request is not at hand there; and poem
/// keeps only head and body of an error's response, so the layer could not complete it. The task
/// knows.
pub(crate) fn refusal(error: SessionError) -> Refusal {
    match EXCHANGE.try_with(Exchange::clone) {
        Ok(exchange) => exchange.refusal(error),
        Err(_) => Refusal::from(error),
    }
}

/// Runs `answer` so that errors which it turns into rejections belong to `exchange`.
pub(crate) async fn rendering_for<T>(exchange: Exchange, answer: impl Future<Output = T>) -> T {
    EXCHANGE.scope(exchange, answer).await
}

tokio::task_local! {
    static EXCHANGE: Exchange;
}

/// The response to an error. A rejection that was made outside the handler's task did not know its
/// exchange; here it is known.
pub(crate) fn of_error(exchange: &Exchange, error: poem::Error) -> Response {
    match error.downcast_ref::<SessionRejection>() {
        Some(rejection) => from_core(exchange.refuse(rejection.error())),
        None => error.into_response(),
    }
}

/// A response of core's as poem has it.
pub(crate) fn from_core(response: http::Response<Bytes>) -> Response {
    let (head, body) = response.into_parts();
    let mut response = Response::from((head.status, Body::from(body)));
    *response.headers_mut() = head.headers;
    response
}
