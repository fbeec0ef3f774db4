//! What other people's libraries make of our access tokens, and of those that are not ours.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod court;
mod differential;
mod edits;
mod verdicts;

#[path = "../../../../crates/session-axum/tests/it/application.rs"]
mod axum;
