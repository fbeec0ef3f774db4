//! Sessions for [axum](https://docs.rs/axum): a layer, extractors that say in a handler's signature how far a
//! session is checked, and the routes that the browser and mobile SDKs of SuperTokens call.
//!
//! ```
//! use axum::{Json, Router, routing::{get, post}};
//! use session_axum::{
//!     CheckDatabase, NewSession, OptionalSession, Session, SessionLayer, SessionRejection,
//!     SessionRequest, Sessions, UserId, VerifyOptions, verify_session,
//! };
//!
//! fn app(sessions: Sessions) -> Router {
//!     let fresh = verify_session(VerifyOptions::new().check_blacklist(true));
//!     Router::new()
//!         .route("/login", post(login))
//!         .route("/like-comment", post(like_comment))
//!         .route("/feed", get(feed).route_layer(fresh))
//!         .route("/hello", get(hello))
//!         .layer(SessionLayer::new(sessions))
//! }
//!
//! /// Creates a session once the application knows who it is; cookies or headers follow by themselves.
//! async fn login(request: SessionRequest, user: String) -> Result<String, SessionRejection> {
//!     let user = UserId::try_from(user).map_err(session_axum::SessionError::from)?;
//!     let session = request.create_session(NewSession::new(user)).await?;
//!     Ok(session.handle().to_string())
//! }
//!
//! /// A revoked session is refused at once: the database is asked.
//! async fn like_comment(session: Session<CheckDatabase>) -> String {
//!     format!("liked by {}", session.user_id())
//! }
//!
//! /// The layer on the route has asked the blacklist already; this adds nothing to the cost.
//! async fn feed(session: Session) -> String {
//!     format!("news for {}", session.user_id())
//! }
//!
//! /// An expired session is still refused, so that the client refreshes it.
//! async fn hello(session: OptionalSession) -> String {
//!     match session.into_inner() {
//!         Some(session) => format!("hello, {}", session.user_id()),
//!         None => "hello, stranger".to_owned(),
//!     }
//! }
//! # let _ = app;
//! ```
//!
//! What a check promises and costs is said in [`session_core`]; this crate has no rule of its own.
//!
//! # Where the layer goes
//!
//! [`SessionLayer`] goes around every route that uses sessions, and inside a CORS layer: it answers
//! the refresh and sign-out routes itself, and those answers need the CORS headers too. Such a layer
//! has to allow credentials, [`CORS_REQUEST_HEADERS`] and, when it writes a list of exposed headers,
//! [`CORS_RESPONSE_HEADERS`]. Where the layer is applied twice, the outer one counts; a layer for
//! other sessions counts below itself.
//!
//! A WebSocket begins with a GET, which the anti-CSRF check does not look at: where cookies are
//! `SameSite=None`, compare the `Origin` header before upgrading.
//!
//! A session cannot be changed once the head of the response has been sent: in an event stream or
//! after an upgrade that is an error that says so. [`Session::revoked`](session_core::Session::revoked)
//! is what such a handler waits for.

mod extract;
mod layer;
mod response;

pub use extract::{
    OptionalSession, Session, SessionRejection, SessionRequest, create_session, get_session,
};
pub use layer::{
    Axum, SessionLayer, SessionService, VerifySession, VerifySessionService, verify_session,
};

pub use session_core::{self, prelude::*};
