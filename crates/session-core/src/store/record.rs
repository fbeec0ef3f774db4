//! `SessionRecord`: the row of a session.

use std::fmt;

use super::Rotations;
use crate::ids::{KeyId, SessionHandle, TenantId, UserId};

/// A session's row.
///
/// All times are Unix milliseconds. `payload` and `data` are JSON objects as text, to be kept byte
/// for byte.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the row; a new column is a breaking change for every store"
)]
pub struct SessionRecord {
    /// The session's name; unique for ever.
    pub handle: SessionHandle,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Whose session it is.
    pub user: UserId,
    /// How many rotations led to the current refresh token; the first has generation 0.
    pub generation: u64,
    /// SHA-256 of the current refresh token's secret.
    pub secret_hash: [u8; 32],
    /// The key that the current refresh token was made under.
    pub refresh_key: KeyId,
    /// The last rotations, oldest first, at most [`ROTATION_HISTORY`](super::ROTATION_HISTORY) of them.
    pub rotations: Rotations,
    /// The application's claims: a JSON object.
    pub payload: String,
    /// Counts the changes of `payload`, starting at 0.
    pub payload_version: u64,
    /// The application's own data about the session: a JSON object.
    pub data: String,
    /// When the session was made.
    pub created_at_ms: i64,
    /// When its tokens were last rotated; the time of creation before the first rotation.
    pub refreshed_at_ms: i64,
    /// When the refresh token expires, and the session with it.
    pub expires_at_ms: i64,
    /// When the session ends however often it is refreshed.
    pub absolute_expires_at_ms: Option<i64>,
    /// The latest expiry of all access tokens ever issued for the session.
    pub access_expires_at_ms: i64,
}

impl fmt::Debug for SessionRecord {
    /// Names the session and nothing that belongs to its user or secures it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("generation", &self.generation)
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

/// What became of [`SessionStore::create`](super::SessionStore::create).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Created {
    /// The row is there.
    Created,
    /// A session, live or revoked, already has this handle (security G15); nothing was written.
    HandleTaken,
}

/// What became of a conditional update of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Updated {
    /// The row now holds the new value.
    Updated,
    /// Somebody else changed the value since it was read; nothing was written.
    Conflict,
    /// There is no such session.
    Gone,
}
