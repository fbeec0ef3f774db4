//! Sessions for Rust web services, fast and ended at once: what is true whatever the framework or
//! the database.
//!
//! A login creates a session: a short-lived signed access token that is verified without any I/O, a
//! long-lived refresh token that is replaced with every use, and a row in a database. By default a
//! request costs one signature check; each route can ask for more.
//!
//! | a route asks for | a revoked session is refused | price |
//! |---|---|---|
//! | nothing ([`Stateless`]) | when its access token expires | no I/O |
//! | [`CheckBlacklist`] | within [`max_staleness`](SessionConfig::max_staleness), on every node; asks the database by itself when it cannot know | a look-up in memory |
//! | [`CheckDatabase`] | from the moment the revocation returned, on every node | one indexed read |
//!
//! An application uses an adapter (`session-axum`) and a store (`session-sqlx`); both are thin.
//! What crosses the wire is the session recipe of SuperTokens, so its browser and mobile SDKs work
//! unchanged.
//!
//! ```
//! use session_core::{
//!     AppInfo, MemoryStore, NewSession, Sessions, UserId, VerifyOptions, verify::PresentedAntiCsrf,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sessions = Sessions::builder(AppInfo::new("https://api.example.com", "https://example.com"))
//!     .store(MemoryStore::default())
//!     .build()
//!     .await?;
//!
//! // A login. With a request at hand, the adapter sends the tokens.
//! let issued = sessions.create(NewSession::new(UserId::try_from("ann")?)).await?;
//! let (session, tokens) = issued.into_parts();
//!
//! // A request.
//! let token = tokens.access_token().expose();
//! let database = VerifyOptions::new().check_database(true);
//! assert!(sessions.verify(token, PresentedAntiCsrf::NotChecked, &database).await.is_ok());
//!
//! // A logout, from anywhere.
//! sessions.revoke(session.handle()).await?;
//! assert!(sessions.verify(token, PresentedAntiCsrf::NotChecked, &database).await.is_err());
//! # sessions.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! * [`Sessions`], [`Session`]: the service, and what a handler holds. [`Administration`]: what an
//!   operator does without a service.
//! * [`config`]: every setting, its default and its limits.
//! * [`verify`]: what a route can ask for, as a value or as a type.
//! * [`claims`]: values about the user that travel in the token, and what a route wants of them.
//! * [`store`]: the trait that a database implements. [`http`]: what an adapter is built from.
//!
//! # Features
//!
//! None are on by default. `metrics` counts through the `metrics` facade; `testing` adds
//! `testing::TestSessions` for an application's own tests, and must not ship.
//!
//! # Minimum Rust version
//!
//! 1.94. It is at least six months old and rises only with a minor release.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod session;
pub mod sessions;
pub mod verify;

pub mod claims;
pub mod config;
pub mod http;

pub mod blacklist;
pub mod keys;
pub mod observer;
pub mod payload;
pub mod receipts;
pub mod token;

pub mod memory;
pub mod store;

pub mod clock;
pub mod error;
pub mod finding;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod ids;

pub mod prelude;
#[cfg(feature = "testing")]
pub mod testing;

mod backend;
mod information;
mod issued;
mod json;
mod random;
mod store_calls;
mod telemetry;

#[cfg(test)]
mod fixtures;

pub use async_trait::async_trait;
pub use config::{AppInfo, SessionConfig};
pub use error::{BackendError, BuildError, ClientTokens, SessionError};
pub use ids::{InvalidId, KeyId, NodeId, NodeName, SessionHandle, TenantId, UserId};
pub use information::{NewSession, SessionInformation};
pub use issued::{IssuedSession, Tokens};
pub use memory::MemoryStore;
pub use payload::{InvalidPayload, Payload};
pub use random::NoRandomness;
pub use session::Session;
pub use sessions::{Administration, Sessions, SessionsBuilder};
pub use token::{AccessToken, RefreshToken};
pub use verify::{CheckBlacklist, CheckDatabase, Configured, Policy, Stateless, VerifyOptions};
