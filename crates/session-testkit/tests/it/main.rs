//! The suite, held against the reference store and against stores that are wrong in one way;
//! and the comparison of adapters, held against servers and stores that differ.
#![expect(clippy::unwrap_used, reason = "tests")]

mod completeness;
mod differing;
mod memory;
mod wrong;
