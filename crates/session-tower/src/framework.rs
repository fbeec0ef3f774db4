//! What the layers have to know about the framework that they are used in.

use bytes::Bytes;
use http::request::Parts;
use http_body_util::Either;

use crate::ResponseBody;

/// What the layers have to know about the framework that they are used in, whose responses have
/// bodies of the type `B`.
///
/// Only adapters that are built on this crate implement it; for any other service, [`Tower`] is
/// what the layers take by themselves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a response with the body `{B}` turns into",
    note = "a session layer is used below `http::Response`s with a body that the framework can send"
)]
pub trait Framework<B>: 'static {
    /// The line that adds [`SessionLayer`](crate::SessionLayer) to an application: a request that
    /// has passed none is refused with an error that names it.
    const LINE: &'static str;

    /// The body that goes to the client.
    type Body;

    /// The body of a response of ours.
    fn ours(body: Bytes) -> Self::Body;

    /// The body of a response of the service inside.
    fn theirs(body: B) -> Self::Body;

    /// The path as the client sent it. By default that of the request; a framework whose routers
    /// shorten the path while they route knows it from elsewhere.
    fn path(parts: &Parts) -> &str {
        parts.uri.path()
    }
}

/// A service without a framework: the response's body is one of ours or one of the service's.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "a marker, never a value")]
pub enum Tower {}

impl<B> Framework<B> for Tower {
    const LINE: &'static str = LINE;

    type Body = ResponseBody<B>;

    fn ours(body: Bytes) -> ResponseBody<B> {
        Either::Left(body.into()).into()
    }

    fn theirs(body: B) -> ResponseBody<B> {
        Either::Right(body).into()
    }
}

pub(crate) const LINE: &str = ".layer(session_tower::SessionLayer::new(sessions))";
