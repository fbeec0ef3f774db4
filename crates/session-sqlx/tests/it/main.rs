//! Each database held to the store suite, and what only it can get wrong.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod crashes;
mod faults;
mod files;
mod findings;
mod following;
mod listening;
mod migrations;
mod opening;
mod plans;
mod pooler;
mod proxy;
mod receipts;
mod replicas;
mod revoking_in;
mod server_connections;
mod server_faults;
mod server_opening;
mod servers;
mod suite;
mod tls;
mod writing;
