//! What clients of sessions asked and were told, and whether that can be the history of sessions
//! that are kept as promised: the invariants INV-1 to INV-11 of the fault plan.
//!
//! Not judged here, as no event tells of it: updates of claims (of INV-6), creation that is tried
//! again under one key (of INV-7), expiry (of INV-8), how fast what needs no database is answered in
//! an outage (of INV-10), and whether all sessions of a user end or none when their end was given up
//! (of INV-11: each session is judged by itself).
//!
//! A test records what its clients see while servers are killed, cut off and stopped;
//! [`check`] judges afterwards, each session by itself. Deeds that overlap may have happened in
//! either order, so every rule speaks of deeds that ended before another began.

mod checker;
mod events;

pub use checker::{Promise, Rule, Violation, check};
pub use events::{Absence, Check, Deed, Event, History, Outage, Records, Reply, SessionNumber};
