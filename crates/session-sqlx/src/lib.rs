//! Keeps the sessions of `session-core` in a SQL database: SQLite, PostgreSQL, MySQL or MariaDB.
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
//! # SQLite
//!
//! Compiled in: one file, no server, and what is acknowledged survives a power cut. Several
//! processes on one machine may share the file. The file and the two that stand beside it while it
//! is open (`-wal`, `-shm`) are made readable for their owner only. They belong on a local disk:
//! write-ahead logging does not work over a network mount, and opening one there is an error.
//! `sqlite::memory:` keeps everything in this process's memory.
//!
//! # PostgreSQL
//!
//! Version 13 and later, in a database of encoding UTF8. Every transaction that writes waits for the
//! disk, whatever `synchronous_commit` is set to.
//!
//! Nodes tell one another of revocations by `NOTIFY`, for which each keeps one connection more. A
//! pooler in transaction mode does not pass notifications on: the node's health then says that they
//! are [missing](session_core::blacklist::Notifications::Missing), and the table is read every
//! [`ConnectOptions::poll_every`] instead. Whoever may connect to the database may send
//! notifications too; one that is made up can make a node read the table or refuse a session, never
//! let one live that was revoked.
//!
//! # MySQL and MariaDB
//!
//! MariaDB 10.6 and MySQL 8.0, and later. Connections of the store's own are strict; an application's
//! pool must be. Without TLS, MySQL's `caching_sha2_password` needs RSA, whose implementation in Rust
//! leaks its key by timing (RUSTSEC-2023-0071) and is left out: use TLS, a Unix socket or, on
//! MariaDB, `mysql_native_password` or `ed25519`.
//!
//! # Schema
//!
//! Made, and brought up to date, when a store is opened; any number of processes may do so at once.
//! All names begin with `session_`, or what [`ConnectOptions::table_prefix`] says instead, so that
//! the tables can live beside an application's own.
//!
//! Whoever applies migrations otherwise opens the store with [`Migrations::Require`], which needs no
//! right to change tables and fails when the schema is behind.
//! [`ConnectOptions::migration_script`] is the SQL for that, as `sessionctl migrate --print` prints
//! it.
//!
#![cfg_attr(feature = "sqlite", doc = "```sql")]
#![cfg_attr(feature = "sqlite", doc = include_str!("../migrations/sqlite/0001_sessions.sql"))]
#![cfg_attr(feature = "sqlite", doc = include_str!("../migrations/sqlite/0002_nodes.sql"))]
#![cfg_attr(feature = "sqlite", doc = "```")]
//!
//! # Features
//!
//! * `sqlite` (default): SQLite, compiled in.
//! * `postgres`: PostgreSQL.
//! * `mysql`: MySQL and MariaDB.
//! * `tls`: TLS to a server, by the settings of its address (`sslmode=verify-full`,
//!   `ssl-mode=VERIFY_IDENTITY`, `sslrootcert`, `ssl-ca`).

#![cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]

mod connections;
mod dialect;
mod engine;
mod error;
mod held;
#[cfg(feature = "postgres")]
mod listening;
mod migrate;
mod names;
mod open;
mod plans;
mod replica;
mod revoking;
mod row;
mod settings;
mod store;
mod writing;

pub use error::ConnectError;
pub use migrate::Migrations;
pub use open::{ConnectOptions, SharedPool};
pub use plans::Plan;
#[cfg(feature = "mysql")]
pub use sqlx::MySqlPool;
#[cfg(feature = "postgres")]
pub use sqlx::PgPool;
#[cfg(feature = "sqlite")]
pub use sqlx::SqlitePool;
pub use store::{OpenTransaction, SqlxStore};
