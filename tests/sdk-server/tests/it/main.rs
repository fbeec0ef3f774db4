//! The contract of the browser SDK's own suite, row by row: written once, run on each framework.
//! Each test says which row it is about; §1, §2 and §3 are the parts of the contract.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod answer;
mod client;
mod cors;
mod differences;
mod files;
mod framework;
mod jwt;
mod keys;
mod lifetimes;
mod login;
mod payload;
mod processes;
mod refresh;
mod routes;
mod server;
mod sessions;
mod setup;
mod sign_out;
