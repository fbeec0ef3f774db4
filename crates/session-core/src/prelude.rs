//! What the first page of an application needs; every adapter re-exports it beside its own types.

pub use crate::{
    AppInfo, CheckBlacklist, CheckDatabase, Configured, MemoryStore, NewSession, Policy,
    SessionConfig, SessionError, SessionHandle, Sessions, Stateless, TenantId, UserId,
    VerifyOptions,
    http::{CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS},
};
