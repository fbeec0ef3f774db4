//! What is particular to poem; the wire contract itself is `session-testkit`'s.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "a handler takes its extractors by value"
)]

mod application;
mod client;
mod cors;
mod extractors;
mod middleware;
mod routing;
mod streaming;
mod suite;
mod ui;
