//! Keeps the sessions of `session-core` in Redis or Valkey, version 6 or later.
//!
//! ```no_run
//! use session_core::{SessionHandle, store::SessionStore};
//! use session_redis::RedisStore;
//!
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! let store = RedisStore::connect("redis://localhost:6379/0").await?;
//! assert!(store.get(&SessionHandle::try_from("nobody")?).await?.is_none());
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! Every operation but the look at a session, which needs none, is one script, which the server runs
//! with nobody else in between: of racing refreshes one wins, a revocation deletes the session and
//! writes down that it did, or neither. Nodes follow the revocations in a stream, in the order in
//! which they happened. Nothing is read from a replica: one that a client was led to refuses every
//! call. When the memory is full, sessions are no longer made, and can still be revoked.
//!
//! # What is not
//!
//! Redis is a memory that may be written to a disk. What that is worth depends on the server's
//! settings; the dangerous ones are among the store's
//! [findings](session_core::store::SessionStore::findings), which a service warns of when it starts.
//!
//! | setting or event | consequence |
//! |---|---|
//! | `appendonly yes`, `appendfsync always` | what was acknowledged survives a crash; every write waits for the disk |
//! | `appendfsync everysec`, the default | a crash loses about a second: sessions revoked in it are back |
//! | `appendonly no`, the default | a restart goes back to the last snapshot, or to nothing |
//! | `maxmemory-policy allkeys-…` | a full server deletes sessions, signing keys and revocations: set `noeviction` |
//! | failover to a replica | what the replica had not received is lost, however durable the primary was; `min-replicas-to-write` limits it, and `WAIT` does not prevent it |
//! | a primary that was cut off | takes writes that are lost when it comes back, unless `min-replicas-to-write` stops it |
//! | a flush, or an empty replacement | all sessions and signing keys are gone: everybody signs in again |
//!
//! An SQL database has none of these rows. Where a revocation must never come undone, keep the
//! sessions there.
//!
//! After a restart or a failover, a node reads the stream from its start. After a flush, it does not
//! rely on the stream for [a while](ConnectOptions::distrust_after_loss): it may have missed
//! revocations that were lost with it, so routes that check the blacklist ask the database, where
//! no session of before is left, until no node accepts the lost signing keys any more.
//!
//! # Beside an SQL database
//!
//! [`RedisFeed`] keeps no session. It tells the other nodes of a revocation as soon as it is committed,
//! so that they hear of it in milliseconds rather than when they next ask the database. Asking
//! remains what they rely on: a message only ever says "revoked", and a server that is away, slow,
//! flushed or forged to makes nobody's session valid.
//!
//! # Keys
//!
//! All, and the feed's channel, begin with `{session}:`, or what [`ConnectOptions::prefix`] says
//! instead, and none expires by itself. The braces put them in one hash slot, so that the scripts may
//! use them together. An account of the server's needs the commands
//! `EVALSHA`, `SCRIPT LOAD`, `INFO` and those of the scripts for these keys, and, for the check at
//! the start to be complete, `CONFIG GET`.
//!
//! # On a cluster
//!
//! [`ConnectOptions::cluster`] takes the addresses of some nodes. The primary that has the hash slot is
//! found, asked for everything and followed when the slot moves or a replica takes over, so a cluster
//! keeps a service going when a node fails and spreads no load: several services on it do, by their
//! prefixes. What a failover loses stands above. While the slot is on its way to another primary,
//! neither has all keys, and every call is refused: a session that was not found would be taken for
//! ended. To move it, choose a quiet minute.
//!
//! # Features
//!
//! * `tls`: TLS to the server (`rediss://`), trusting the public authorities or the one that
//!   `ConnectOptions::root_certificate` names. A server that speaks no TLS, or has a certificate of
//!   somebody else or for another name, is an error. Where the application has chosen no provider of
//!   cryptography for rustls, aws-lc-rs becomes the process's.

mod announcing;
mod asking;
mod connection;
mod error;
mod feed;
mod findings;
mod memory;
mod message;
mod options;
mod place;
mod redirection;
mod row;
mod scripts;
mod store;
#[cfg(feature = "tls")]
mod tls;

pub use announcing::Announcing;
pub use error::ConnectError;
pub use feed::RedisFeed;
pub use options::ConnectOptions;
pub use store::RedisStore;
