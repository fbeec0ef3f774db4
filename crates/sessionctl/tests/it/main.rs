//! The tool as a person runs it, on each database.
#![expect(clippy::unwrap_used, reason = "tests")]

mod doctor;
mod keys;
mod migrate;
mod place;
mod retention;
mod sessions;
mod tls;
mod usage;
