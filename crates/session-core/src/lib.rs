//! Sessions for Rust web services: everything that is true whatever the framework or database.

pub mod clock;
pub mod ids;
pub mod store;
pub mod memory;
pub mod config;
mod json;
pub mod payload;
mod random;
pub mod observer;
mod telemetry;
mod store_calls;
pub mod token;
pub mod keys;
#[cfg(test)]
mod fixtures;

pub use async_trait::async_trait;
pub use config::{AppInfo, SessionConfig};
pub use ids::{InvalidId, KeyId, SessionHandle, TenantId, UserId};
pub use memory::MemoryStore;
pub use payload::{InvalidPayload, Payload};
pub use random::NoRandomness;
pub use token::{AccessToken, RefreshToken};
