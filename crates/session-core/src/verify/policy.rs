//! Policies as types: what a handler's signature says about its session.

use crate::verify::VerifyOptions;

/// What a handler asks of a session, as a type.
///
/// It reads well in a signature, cannot be forgotten in a registration far away and costs nothing
/// at run time. An application adds its own by implementing this trait.
///
/// # Examples
///
/// ```
/// use session_core::{Policy, VerifyOptions};
///
/// /// For what cannot be undone.
/// enum Destructive {}
///
/// impl Policy for Destructive {
///     fn options() -> VerifyOptions {
///         VerifyOptions::new().check_database(true)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a session must pass",
    label = "not a session policy",
    note = "use `Stateless`, `CheckBlacklist` or `CheckDatabase`, or implement `Policy` for it"
)]
pub trait Policy: 'static {
    /// The options that the policy stands for. Called once per request.
    fn options() -> VerifyOptions;
}

/// Asks for what the configuration says; the policy of a `Session` without a parameter.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker, never a value")]
pub enum Configured {}

/// Looks no further than the token: a revoked session is accepted until its access token expires.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker, never a value")]
pub enum Stateless {}

/// Looks in the in-memory set of revoked sessions.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker, never a value")]
pub enum CheckBlacklist {}

/// Looks in the database.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker, never a value")]
pub enum CheckDatabase {}

impl Policy for Configured {
    fn options() -> VerifyOptions {
        VerifyOptions::new()
    }
}

impl Policy for Stateless {
    fn options() -> VerifyOptions {
        VerifyOptions::new()
            .check_blacklist(false)
            .check_database(false)
    }
}

impl Policy for CheckBlacklist {
    fn options() -> VerifyOptions {
        VerifyOptions::new()
            .check_blacklist(true)
            .check_database(false)
    }
}

impl Policy for CheckDatabase {
    fn options() -> VerifyOptions {
        VerifyOptions::new().check_database(true)
    }
}
