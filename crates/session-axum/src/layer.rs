//! The layers of `session-tower`, as they are used in axum.

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::OriginalUri,
    http::request::Parts,
};
use session_core::{Sessions, VerifyOptions};
use session_tower::Framework;
use tower_layer::Layer;

/// Gives every request below it its session, answers the session routes and writes cookies and
/// headers into the responses.
#[derive(Debug, Clone)]
#[must_use]
pub struct SessionLayer(session_tower::SessionLayer<Axum>);

impl SessionLayer {
    /// The layer for these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self(session_tower::SessionLayer::for_framework(sessions))
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        self.0.layer(inner)
    }
}

/// The service that [`SessionLayer`] makes.
pub type SessionService<S> = session_tower::SessionService<S, Axum>;

/// Guards a route: a request whose session does not pass `options` is refused before the handler
/// runs. Use with [`route_layer`](axum::Router::route_layer).
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use session_axum::{Session, VerifyOptions, verify_session};
///
/// # let _: Router =
/// Router::new()
///     .route("/feed", get(async |session: Session| session.user_id().to_string()))
///     .route_layer(verify_session(VerifyOptions::new().check_blacklist(true)))
/// # ;
/// ```
pub fn verify_session(options: VerifyOptions) -> VerifySession {
    VerifySession::for_framework(options)
}

/// The layer that [`verify_session`] makes.
pub type VerifySession = session_tower::VerifySession<Axum>;

/// The service that [`VerifySession`] makes.
pub type VerifySessionService<S> = session_tower::VerifySessionService<S, Axum>;

/// What the layers have to know about axum.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "a marker, never a value")]
pub enum Axum {}

impl<B> Framework<B> for Axum
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    const LINE: &'static str = LINE;

    type Body = Body;

    fn ours(body: Bytes) -> Body {
        Body::from(body)
    }

    /// Does not wrap a body that is axum's own already.
    fn theirs(body: B) -> Body {
        Body::new(body)
    }

    /// A nested router shortens the request's own.
    fn path(parts: &Parts) -> &str {
        parts
            .extensions
            .get::<OriginalUri>()
            .map_or(&parts.uri, |uri| &uri.0)
            .path()
    }
}

pub(crate) const LINE: &str = ".layer(session_axum::SessionLayer::new(sessions))";
