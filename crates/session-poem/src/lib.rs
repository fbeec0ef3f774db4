//! Sessions for [poem]: middleware, extractors and a guard for routes.
//!
//! [`SessionLayer`] goes around the routes. It answers refresh, sign-out and the key set, and writes
//! what a handler did to its session into the response. A handler says in its signature how far it
//! wants to look: [`Session`] follows the configuration, `Session<CheckDatabase>` refuses a session
//! that has just been revoked.
//!
//! ```no_run
//! use poem::{EndpointExt as _, Route, Server, get, handler, listener::TcpListener, post};
//! use session_poem::{
//!     AppInfo, CheckDatabase, MemoryStore, Session, SessionLayer, Sessions, VerifyOptions,
//!     verify_session,
//! };
//!
//! #[handler]
//! async fn like_comment(session: Session<CheckDatabase>) -> String {
//!     format!("liked by {}", session.user_id())
//! }
//!
//! #[handler]
//! async fn feed(session: Session) -> String {
//!     format!("news for {}", session.user_id())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sessions = Sessions::builder(AppInfo::new("https://api.example.com", "https://example.com"))
//!     .store(MemoryStore::default())
//!     .build()
//!     .await?;
//! let options = VerifyOptions::new().check_blacklist(true);
//! let app = Route::new()
//!     .at("/like-comment", post(like_comment))
//!     .at("/feed", get(feed).with(verify_session(options)))
//!     .with(SessionLayer::new(sessions));
//! Server::new(TcpListener::bind("127.0.0.1:3000")).run(app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! * [`SessionLayer`], [`verify_session`]: around routes.
//! * [`Session`], [`OptionalSession`]: in a handler's signature.
//! * [`get_session`], [`create_session`]: in a handler's body.
//! * [`SessionRejection`]: what they refuse with.
//! * [`session_core`]: sessions themselves, settings, claims, policies of your own.
//!
//! # Optional sessions
//!
//! Use [`OptionalSession`], not `Option<Session>`: poem makes `None` of every refusal, of an expired
//! token, too, whose client would then never refresh.
//!
//! # Order
//!
//! An error that leaves [`SessionLayer`] is a response, for it may carry tokens: `catch_error` and
//! its likes go inside. So does `CatchPanic`: a panic that passes the layer takes with it what the
//! response would have said. `Cors` goes outside, as everywhere.
//!
//! # Minimum Rust version
//!
//! 1.94. It is at least six months old and rises only with a minor release.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod extract;
mod layer;
mod response;

pub use extract::{OptionalSession, Session, SessionRejection, create_session, get_session};
pub use layer::{GuardEndpoint, SessionEndpoint, SessionLayer, VerifySession, verify_session};

pub use session_core::{self, prelude::*};
