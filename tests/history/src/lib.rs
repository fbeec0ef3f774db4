//! What clients of sessions asked and were told, and whether that can be the history of sessions
//! that are kept as promised: the invariants INV-1 to INV-11 of the fault plan.
//!
//! A test records what its clients see while servers are killed, cut off and stopped;
//! [`check`] judges afterwards, each session by itself. Deeds that overlap may have happened in
//! either order, so every rule speaks of deeds that ended before another began.

mod checker;
mod events;

pub use checker::{Promise, Rule, Violation, check};
pub use events::{Check, Deed, Event, History, Outage, Records, Reply, SessionNumber};
