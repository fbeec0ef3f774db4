//! The suite, held against the reference store and against stores that are wrong in one way.
#![expect(clippy::unwrap_used, reason = "tests")]

mod completeness;
mod memory;
mod wrong;
