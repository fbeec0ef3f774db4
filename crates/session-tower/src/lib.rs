//! Sessions for any [tower](https://docs.rs/tower) service that answers HTTP requests: under hyper, tonic
//! and `lambda_http`, and below the adapters for axum and warp, which are built on these layers.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Method, Request, Response};
//! use http_body_util::{BodyExt as _, Full};
//! use hyper::body::Incoming;
//! use session_tower::{
//!     CheckDatabase, Configured, NewSession, Refusal, SessionError, SessionLayer, Sessions,
//!     UserId, create_session, optional_session, session,
//! };
//! use tower::{Service, ServiceBuilder};
//!
//! /// A service for hyper, as it is given to a connection.
//! fn app(
//!     sessions: Sessions,
//! ) -> impl Service<Request<Incoming>, Error = Infallible, Future: Send> + Clone {
//!     ServiceBuilder::new()
//!         .layer(SessionLayer::new(sessions))
//!         .service_fn(async |request| Ok(answer(request).await))
//! }
//!
//! /// What is refused is answered as the browser and mobile SDKs expect.
//! async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
//!     match route(request).await {
//!         Ok(text) => Response::new(text.into()),
//!         Err(refusal) => refusal.to_response().map(Full::new),
//!     }
//! }
//!
//! async fn route(request: Request<Incoming>) -> Result<String, Refusal> {
//!     match (request.method(), request.uri().path()) {
//!         (&Method::POST, "/login") => login(request).await,
//!         // A revoked session is refused at once: the database is asked.
//!         (&Method::POST, "/like-comment") => {
//!             let session = session::<CheckDatabase>(&request).await?;
//!             Ok(format!("liked by {}", session.user_id()))
//!         }
//!         // An expired session is still refused, so that the client refreshes it.
//!         _ => Ok(match optional_session::<Configured>(&request).await? {
//!             Some(session) => format!("hello, {}", session.user_id()),
//!             None => "hello, stranger".to_owned(),
//!         }),
//!     }
//! }
//!
//! /// Creates a session once the application knows who it is; cookies or headers follow by themselves.
//! async fn login(request: Request<Incoming>) -> Result<String, Refusal> {
//!     let (head, body) = request.into_parts();
//!     let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
//!     let user = String::from_utf8_lossy(&body).into_owned();
//!     let user = UserId::try_from(user).map_err(SessionError::from)?;
//!     let session = create_session(&head, NewSession::new(user)).await?;
//!     Ok(session.handle().to_string())
//! }
//! # let _ = app;
//! ```
//!
//! What a check promises and costs is said in [`session_core`]; this crate has no rule of its own.
//!
//! # Where the layers go
//!
//! [`SessionLayer`] goes around everything that uses sessions, and inside a CORS layer: it answers
//! the refresh and sign-out routes itself, and those answers need the CORS headers too. Such a layer
//! has to allow credentials, [`CORS_REQUEST_HEADERS`] and, when it writes a list of exposed headers,
//! [`CORS_RESPONSE_HEADERS`]. Where the layer is applied twice, the outer one counts; a layer for
//! other sessions counts below itself.
//!
//! [`verify_session`] guards a service as a whole. It leaves the [`Session`] in the extensions of
//! the request, which is how a tonic service gets at it; with [`get_session`] and its likes, what
//! the layer has checked is not checked again.
//!
//! The service inside may have any body, of requests and of responses. A response has a body of the
//! service's or one of ours: [`ResponseBody`], which is a body as well.
//!
//! A session cannot be changed once the head of the response has been sent: in an event stream or
//! after an upgrade that is an error that says so. [`Session::revoked`] is what such a handler waits
//! for.

mod body;
mod framework;
mod layer;
mod request;

pub use body::ResponseBody;
pub use framework::{Framework, Tower};
pub use layer::{
    SessionLayer, SessionService, VerifySession, VerifySessionService, verify_session,
};
pub use request::{RequestHead, create_session, get_session, optional_session, session};

pub use session_core::{self, Session, http::Refusal, prelude::*};
