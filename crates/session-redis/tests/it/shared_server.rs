//! A prefix of its own for each test, on the server that `cargo xtask` starts.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use session_redis::ConnectOptions;

/// The address of the server.
pub(crate) fn address() -> String {
    env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: `cargo xtask test` starts the servers that the tests need, and \
             `cargo xtask services` keeps them for as long as you like"
        )
    })
}

/// A prefix that no other test has.
pub(crate) fn unused_prefix() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    format!("{now:x}.{}.{number}", process::id())
}

/// The server, under a prefix.
pub(crate) fn options(prefix: &str) -> ConnectOptions {
    ConnectOptions::new(address())
        .prefix(prefix)
        .timeout(PATIENCE)
}

const VARIABLE: &str = "SESSION_TEST_REDIS_URL";

/// A machine that is busy with other tests is not what the tests ask about.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
