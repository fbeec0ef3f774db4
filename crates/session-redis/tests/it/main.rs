//! The store on Redis held to the store suite, and what only it can get wrong.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod cluster;
mod faults;
mod feed;
mod opening;
mod own_server;
mod shared_server;
mod suite;
#[cfg(feature = "tls")]
mod tls;
