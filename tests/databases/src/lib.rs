//! A database of its own for each test, on the servers that `cargo xtask test` starts and that
//! `cargo xtask services` keeps.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test without its database is to fail"
)]

mod filling;
mod sql;

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

pub use filling::Filling;
pub use sql::{Database, Server};

/// How long a test waits for a server: a machine that is busy with other tests is not what the tests
/// ask about.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A name that no other test has: at most 32 lower-case letters, digits and `_`.
pub fn unused_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("t{now:x}_{:x}_{number:x}", process::id())
}

/// The address of the Redis server that all tests share, each under a prefix of its own.
pub fn redis_address() -> String {
    address("SESSION_TEST_REDIS_URL")
}

/// The address of a server.
fn address(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: `cargo xtask test` starts the servers that the tests need, and \
             `cargo xtask services` keeps them for as long as you like"
        )
    })
}
