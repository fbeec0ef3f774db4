//! The examples as processes, driven over real sockets: their routes, and what must hold when many
//! start or refresh at once, when clients hang up and when a server is killed. And the adapters side
//! by side, and one of them over every store: they answer the same.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod client;
mod cors;
mod crash;
mod curl;
mod devices;
mod dice;
mod event_stream;
mod every_store;
mod example;
mod first_start;
mod fleet;
mod refresh_races;
mod routes;
mod same_answers;
mod server;
