//! Keeps the sessions of `session-core` in a SQL database.
//!
//! SQLite is compiled in: one file, no server, and what is acknowledged survives a power cut.
//! Several processes on one machine may share the file.
//!
//! ```no_run
//! use session_core::{SessionHandle, store::SessionStore};
//! use session_sqlx::SqlxStore;
//!
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqlxStore::connect("sqlite://sessions.db").await?;
//! assert!(store.get(&SessionHandle::try_from("nobody")?).await?.is_none());
//! # Ok(()) }
//! ```
//!
//! The file and the two that stand beside it while it is open (`-wal`, `-shm`) are made readable
//! for their owner only. They belong on a local disk: write-ahead logging does not work over a
//! network mount, and opening one there is an error. `sqlite::memory:` keeps everything in this
//! process's memory.
//!
//! # Schema
//!
//! Made, and brought up to date, when a store is opened; any number of processes may do so at once.
//! All names begin with `session_`, so that the tables can live beside an application's own.
//!
//! ```sql
#![cfg_attr(feature = "sqlite", doc = include_str!("../migrations/sqlite/0001_sessions.sql"))]
//! ```
//!
//! # Features
//!
//! * `sqlite` (default): SQLite, compiled in.

#[cfg(feature = "sqlite")]
mod connections;
#[cfg(feature = "sqlite")]
mod dialect;
#[cfg(feature = "sqlite")]
mod error;
#[cfg(feature = "sqlite")]
mod migrate;
#[cfg(feature = "sqlite")]
mod open;
#[cfg(feature = "sqlite")]
mod row;
#[cfg(feature = "sqlite")]
mod store;

#[cfg(feature = "sqlite")]
pub use error::ConnectError;
#[cfg(feature = "sqlite")]
pub use open::ConnectOptions;
#[cfg(feature = "sqlite")]
pub use sqlx::SqlitePool;
#[cfg(feature = "sqlite")]
pub use store::SqlxStore;
