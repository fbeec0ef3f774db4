//! Several nodes as processes on one database, and what must hold when nodes and servers are
//! killed, stopped and cut off, and clocks jump. A history of what clients were told is judged
//! afterwards.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod campaign;
mod clocks;
mod delays;
mod farewells;
mod ground;
mod keys;
mod kills;
mod losses;
mod outages;
mod secrets;
mod standby;
mod unknown_keys;
mod versions;
