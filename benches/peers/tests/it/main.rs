//! Each program answers rightly: what is measured is what it says that it is.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod adds;
mod peer;
mod program;
mod stub_core;
