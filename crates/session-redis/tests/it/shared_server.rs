//! The server that all tests share, under a prefix of each test's own.

pub(crate) use databases::{PATIENCE, unused_name as unused_prefix};
use session_redis::ConnectOptions;

/// The server, under a prefix.
pub(crate) fn options(prefix: &str) -> ConnectOptions {
    ConnectOptions::new(databases::redis_address())
        .prefix(prefix)
        .timeout(PATIENCE)
}
