//! The layers under plain hyper, and what is particular to tower; the wire contract itself is
//! `session-testkit`'s.
#![expect(clippy::unwrap_used, reason = "tests")]

mod application;
mod client;
mod functions;
mod grpc;
mod layers;
mod streams;
mod suite;
