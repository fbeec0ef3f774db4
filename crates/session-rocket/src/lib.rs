//! Sessions for [Rocket](https://rocket.rs): a fairing, request guards that say in a handler's signature how far a
//! session is checked, and the routes that the browser and mobile SDKs of SuperTokens call.
//!
//! ```
//! use rocket::{Build, Rocket, get, post, routes};
//! use session_rocket::{
//!     CheckDatabase, NewSession, OptionalSession, Session, SessionError, SessionFairing,
//!     SessionRejection, SessionRequest, Sessions, UserId, VerifyOptions, verify_session,
//! };
//!
//! fn app(sessions: Sessions) -> Rocket<Build> {
//!     let fresh = verify_session(VerifyOptions::new().check_blacklist(true));
//!     rocket::build()
//!         .mount("/", routes![login, like_comment, hello])
//!         .mount("/", fresh.guard(routes![feed]))
//!         .attach(SessionFairing::new(sessions))
//! }
//!
//! /// Creates a session once the application knows who it is; cookies or headers follow by themselves.
//! #[post("/login", data = "<user>")]
//! async fn login(request: SessionRequest, user: String) -> Result<String, SessionRejection> {
//!     let user = UserId::try_from(user).map_err(SessionError::from)?;
//!     let session = request.create_session(NewSession::new(user)).await?;
//!     Ok(session.handle().to_string())
//! }
//!
//! /// A revoked session is refused at once: the database is asked.
//! #[post("/like-comment")]
//! fn like_comment(session: Session<CheckDatabase>) -> String {
//!     format!("liked by {}", session.user_id())
//! }
//!
//! /// The guard around the route has asked the blacklist already; this adds nothing to the cost.
//! #[get("/feed")]
//! fn feed(session: Session) -> String {
//!     format!("news for {}", session.user_id())
//! }
//!
//! /// An expired session is still refused, so that the client refreshes it.
//! #[get("/hello")]
//! fn hello(session: OptionalSession) -> String {
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
//! # The fairing
//!
//! [`SessionFairing`] mounts the session routes below the API base path, where they come before
//! the application's own; whatever is not theirs is forwarded. An application with a route that has
//! one of our guards does not launch without the fairing; [`verify_session`] by itself answers each
//! request with an error that names the missing line. Where the fairing is attached twice, the later
//! one counts.
//!
//! Rocket runs fairings in the order in which they are attached. A CORS fairing has to allow
//! credentials and [`CORS_REQUEST_HEADERS`]; one that writes a list of exposed headers comes before
//! ours, which adds to the list, or lists [`CORS_RESPONSE_HEADERS`].
//!
//! # Refusals and forwarding
//!
//! A guard of ours that refuses is an error and never forwards, so a refused request does not fall
//! through to a route of a lower rank. What the client then gets is the answer that the SDKs expect:
//! the fairing registers a default catcher at `/` for it, which leaves all else to Rocket's. A
//! catcher of the application that takes precedence has the last word, and
//! [`SessionRejection::of`] tells it what was refused. A fairing that registers a default catcher at
//! `/` while Rocket ignites has to be attached before ours.
//!
//! Rocket's own `Option<Session>` is `None` whatever the reason, even for a session that has only
//! expired: use [`OptionalSession`]. `Result<Session, SessionRejection>` gives the refusal to the
//! handler.
//!
//! # Methods
//!
//! A HEAD request counts as one for the anti-CSRF check, also where Rocket serves it by a GET
//! route. The `_method` field of a form counts as the method: nobody gets past a check by it that a
//! request of that method would not pass. A fairing that changes a request's method or path comes
//! before ours, so that what is checked is what is served.
//!
//! # Header lines that are not UTF-8
//!
//! Rocket drops them before anybody sees them. To us they were not sent.
//!
//! # Streams and WebSockets
//!
//! A session cannot be changed once the head of the response has been sent: in an event stream or
//! after an upgrade that is an error that says so. [`Session::revoked`](session_core::Session::revoked)
//! is what such a handler waits for. A WebSocket begins with a GET, which the anti-CSRF check does not
//! look at: where cookies are `SameSite=None`, compare the `Origin` header before upgrading.

mod convert;
mod extract;
mod kept;
mod layer;
mod response;

pub use extract::{
    OptionalSession, Session, SessionRejection, SessionRequest, create_session, get_session,
};
pub use layer::{SessionFairing, VerifySession, verify_session};

pub use session_core::{self, prelude::*};
