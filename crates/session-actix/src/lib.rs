//! Sessions for [actix-web](https://docs.rs/actix-web): a middleware, extractors that say in a handler's
//! signature how far a session is checked, and the routes that the browser and mobile SDKs of
//! SuperTokens call.
//!
//! ```
//! use actix_web::{App, HttpRequest, HttpServer, web};
//! use session_actix::{
//!     CheckDatabase, NewSession, OptionalSession, Session, SessionMiddleware, SessionRejection,
//!     Sessions, UserId, VerifyOptions, create_session, verify_session,
//! };
//!
//! async fn serve(sessions: Sessions) -> std::io::Result<()> {
//!     HttpServer::new(move || {
//!         let fresh = verify_session(VerifyOptions::new().check_blacklist(true));
//!         App::new()
//!             .route("/login", web::post().to(login))
//!             .route("/like-comment", web::post().to(like_comment))
//!             .service(web::resource("/feed").wrap(fresh).get(feed))
//!             .route("/hello", web::get().to(hello))
//!             .wrap(SessionMiddleware::new(sessions.clone()))
//!     })
//!     .bind(("127.0.0.1", 3000))?
//!     .run()
//!     .await
//! }
//!
//! /// Creates a session once the application knows who it is; cookies or headers follow by themselves.
//! async fn login(request: HttpRequest, user: String) -> Result<String, SessionRejection> {
//!     let user = UserId::try_from(user).map_err(session_actix::SessionError::from)?;
//!     let session = create_session(&request, NewSession::new(user)).await?;
//!     Ok(session.handle().to_string())
//! }
//!
//! /// A revoked session is refused at once: the database is asked.
//! async fn like_comment(session: Session<CheckDatabase>) -> String {
//!     format!("liked by {}", session.user_id())
//! }
//!
//! /// The middleware on the resource has asked the blacklist already; this adds nothing to the cost.
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
//! # let _ = serve;
//! ```
//!
//! What a check promises and costs is said in [`session_core`]; this crate has no rule of its own.
//! [`Sessions`] is cheap to clone and shared by all workers: build it before the server, and clone it
//! into each application.
//!
//! # Where the middleware goes
//!
//! [`SessionMiddleware`] goes around every route that uses sessions, and inside a CORS middleware: it
//! answers the refresh and sign-out routes itself, and those answers need the CORS headers too. In
//! actix-web the `wrap` that is called last is the outermost. A CORS middleware has to allow
//! credentials, [`CORS_REQUEST_HEADERS`] and, when it writes a list of exposed headers,
//! [`CORS_RESPONSE_HEADERS`]. Where the session middleware is applied twice, the outer one counts; one
//! for other sessions counts below itself. Around a scope it sees that scope alone; [`configure`] then
//! adds the session routes to the application.
//!
//! A WebSocket begins with a GET, which the anti-CSRF check does not look at: where cookies are
//! `SameSite=None`, compare the `Origin` header before upgrading.
//!
//! A session cannot be changed once the head of the response has been sent: in an event stream or
//! after an upgrade that is an error that says so. [`Session::revoked`](session_core::Session::revoked)
//! is what such a handler waits for.

mod convert;
mod extract;
mod layer;
mod response;

pub use extract::{OptionalSession, Session, SessionRejection, create_session, get_session};
pub use layer::{SessionMiddleware, SessionService, configure, verify_session};

pub use session_core::{self, prelude::*};
