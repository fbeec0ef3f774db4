//! What the service promises, on a store that can fail and a clock that the test turns.
//!
//! What needs a socket is in `session-testkit`'s HTTP suite (E, G12, K4), what needs SQL in its
//! store suite and in `session-sqlx` (F6 on several processes, F17, F19 with real restarts, G10 on a
//! cut connection, G11, H1 to H18).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unchecked_time_subtraction,
    clippy::needless_pass_by_value,
    reason = "tests"
)]

mod administration;
mod administration_settings;
mod at_rest;
mod blacklist;
mod claims_flow;
mod clocks;
#[cfg(feature = "metrics")]
mod costs;
mod failover;
mod faults;
mod faulty_store;
mod findings;
mod forged_tokens;
mod lifetimes;
mod logs;
#[cfg(feature = "metrics")]
mod metrics;
mod model;
mod node;
mod payload;
mod public_api;
mod receipts;
mod refresh_keys;
mod revocation;
mod revocation_scopes;
mod rotation;
mod signing_keys;
mod theft_reports;
mod verified_tokens;
