//! The function as a process, fed with the events that AWS sends it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod events;
mod function;
mod gateways;
