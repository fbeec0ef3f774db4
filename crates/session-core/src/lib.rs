//! Sessions for Rust web services: everything that is true whatever the framework or database.

pub mod clock;
pub mod ids;
pub mod store;
pub mod memory;
pub mod config;

pub use async_trait::async_trait;
pub use config::{AppInfo, SessionConfig};
pub use ids::{InvalidId, KeyId, SessionHandle, TenantId, UserId};
pub use memory::MemoryStore;
