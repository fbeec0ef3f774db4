//! What is particular to actix-web; the wire contract itself is `session-testkit`'s.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod application;
mod client;
mod cors;
mod extractors;
mod middleware;
mod routing;
mod streaming;
mod suite;
mod ui;
