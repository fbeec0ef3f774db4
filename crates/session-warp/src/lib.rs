//! Sessions for [warp](https://docs.rs/warp): filters that say in a handler's signature how far a session is
//! checked, and the routes that the browser and mobile SDKs of SuperTokens call.
//!
//! ```
//! use session_warp::{
//!     CheckDatabase, Configured, NewSession, OptionalSession, Session, SessionError,
//!     SessionRejection, SessionRequest, Sessions, UserId, VerifyOptions, verify_session,
//! };
//! use warp::{Filter, Rejection, Reply};
//!
//! fn routes() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
//!     let login = warp::path!("login")
//!         .and(warp::post())
//!         .and(session_warp::request())
//!         .and(warp::body::json())
//!         .then(login);
//!     let like_comment = warp::path!("like-comment")
//!         .and(warp::post())
//!         .and(session_warp::session::<CheckDatabase>())
//!         .map(like_comment);
//!     let feed = warp::path!("feed")
//!         .and(warp::get())
//!         .and(verify_session(VerifyOptions::new().check_blacklist(true)))
//!         .and(session_warp::session::<Configured>())
//!         .map(feed);
//!     let hello = warp::path!("hello")
//!         .and(session_warp::optional_session::<Configured>())
//!         .map(hello);
//!     login.or(like_comment).or(feed).or(hello)
//! }
//!
//! /// Creates a session once the application knows who it is; cookies or headers follow by themselves.
//! async fn login(request: SessionRequest, user: String) -> Result<String, SessionRejection> {
//!     let user = UserId::try_from(user).map_err(SessionError::from)?;
//!     let session = request.create_session(NewSession::new(user)).await?;
//!     Ok(session.handle().to_string())
//! }
//!
//! /// A revoked session is refused at once: the database is asked.
//! fn like_comment(session: Session<CheckDatabase>) -> String {
//!     format!("liked by {}", session.user_id())
//! }
//!
//! /// `verify_session` has asked the blacklist already; this adds nothing to the cost.
//! fn feed(session: Session) -> String {
//!     format!("news for {}", session.user_id())
//! }
//!
//! /// An expired session is still refused, so that the client refreshes it.
//! fn hello(session: OptionalSession) -> String {
//!     match session.into_inner() {
//!         Some(session) => format!("hello, {}", session.user_id()),
//!         None => "hello, stranger".to_owned(),
//!     }
//! }
//!
//! /// In the place of `warp::serve(routes()).run(address)`.
//! async fn run(sessions: Sessions) -> std::io::Result<()> {
//!     session_warp::serve(sessions, routes()).run(([127, 0, 0, 1], 3000)).await
//! }
//! # let _ = run;
//! ```
//!
//! What a check promises and costs is said in [`session_core`]; this crate has no rule of its own.
//!
//! # A refusal ends the request
//!
//! In warp, a filter that rejects a request hands it to the next one of an `or`. A session that was
//! refused must not end up in a route that asks for less, so the filters of this crate do not reject:
//! they end the request. What comes after the filter, on either side of an `or`, is not run, and no
//! `recover` is asked. So a session filter stands after the filters that say which requests the route
//! is for: path, then method, then session.
//!
//! An application that wants to answer by itself, or to try another route, takes the refusal as a
//! value from [`try_session`].
//!
//! In a handler, a [`SessionRejection`] is a reply: use [`then`](warp::Filter::then), and `?`. One
//! that is made a [`Rejection`](warp::Rejection), for a handler in
//! [`and_then`](warp::Filter::and_then), goes the way of all rejections, and [`recover`] is what makes
//! a reply of it; around all routes that is done already. A `recover` of the application's own finds
//! it with `rejection.find::<SessionRejection>()`, and may reply with a clone.
//!
//! # Serving
//!
//! [`serve`] answers the refresh and sign-out routes itself and writes cookies and headers into the
//! responses. For another server, the same is a stack of [`SessionLayer`] and [`service`]. Without
//! either, as in `warp::serve(routes)`, no session is found: the filters reject every request with an
//! error that names what to write. Nothing can end a request there, so that rejection, unlike a
//! refusal, goes on to the next route of an `or`.
//!
//! None of this is a filter or a wrapper for [`with`](warp::Filter::with): outside of warp, one can
//! only put warp's own filters together. What comes of that leaves nothing in the request for the
//! filters below, cannot end a request that is running in them, and must not run a service of its
//! own, for warp panics where one is called within another.
//!
//! A CORS layer goes around that, for those answers need the CORS headers too:
//! `serve(sessions, routes).layer(cors)` with one of tower-http, and not `warp::cors`, which is always
//! inside. Such a layer has to allow credentials, [`CORS_REQUEST_HEADERS`] and, when it writes a list
//! of exposed headers, [`CORS_RESPONSE_HEADERS`]. Logs and compression are best made layers, too:
//! what is around a filter does not see the request that was refused in it.
//!
//! `warp::addr::remote` knows nothing outside `warp::serve`; the client's address is
//! `warp::ext::get::<SocketAddr>()`.
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
mod server;

pub use extract::{
    OptionalSession, Session, SessionRejection, SessionRequest, optional_session, request, session,
    try_session, verify_session,
};
pub use layer::{Routes, service};
pub use response::recover;
pub use server::{Server, serve};

pub use session_core::{self, prelude::*};
pub use session_tower::SessionLayer;
