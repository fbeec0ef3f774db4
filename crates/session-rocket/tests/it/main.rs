//! What is particular to Rocket; the wire contract itself is `session-testkit`'s.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "Rocket hands guards over by value"
)]

mod application;
mod client;
mod cors;
mod fairing;
mod guards;
mod refusals;
mod streaming;
mod suite;
mod ui;
mod websocket;
