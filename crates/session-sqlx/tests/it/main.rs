//! SQLite held to the store suite, and what only SQLite can get wrong.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod faults;
mod files;
mod opening;
mod suite;
