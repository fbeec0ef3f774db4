//! What is particular to warp; the wire contract itself is `session-testkit`'s.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod application;
mod client;
mod cors;
mod effects;
mod filters;
mod rejections;
mod serving;
mod streaming;
mod suite;
mod ui;
