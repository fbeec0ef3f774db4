//! What is recorded of revocations, and how other nodes read it.

use std::time::Duration;

use crate::{clock::duration_ms, ids::SessionHandle};

/// A revoked session, as the blacklist must remember it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row")]
pub struct RevokedSession {
    /// The session that was revoked.
    pub handle: SessionHandle,
    /// When the last access token of the session has expired, in Unix milliseconds.
    pub expires_at_ms: i64,
}

impl RevokedSession {
    /// The record of a session whose row had `access_expires_at_ms`, kept for `skew` longer because
    /// clocks differ (security G14). An end that does not fit is the latest there is.
    pub fn new(handle: SessionHandle, access_expires_at_ms: i64, skew: Duration) -> Self {
        Self {
            handle,
            expires_at_ms: access_expires_at_ms.saturating_add(duration_ms(skew)),
        }
    }
}

/// Some revocations and where to go on; in which order, [`RevocationVisibility`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the answer of one statement")]
pub struct RevocationPage {
    /// The revoked sessions.
    pub revoked: Vec<RevokedSession>,
    /// Where the next page begins.
    pub next: RevocationCursor,
    /// Whether there may be more at once.
    pub more: bool,
}

/// A place in a store's list of revocations, in numbers that mean something to the store alone: one
/// where the list is in commit order, several where the place is "up to here, except for what was
/// still open". The default, no number, is before the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "the store's own numbers")]
pub struct RevocationCursor(pub Vec<u64>);

/// How a node hears of revocations that other nodes make in the same store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationVisibility {
    /// No other process can write to this store, and one [`Sessions`](crate::Sessions) is built on
    /// it: what that one revokes is all there is.
    ThisProcessOnly,
    /// Cursors are in commit order, so asking for "what came since" at this interval misses
    /// nothing.
    CommitOrder {
        /// How often to ask.
        poll_every: Duration,
    },
    /// Pages come in no order and may repeat what an earlier one held, because a cursor stays at
    /// what was not committed yet; asking for "what came since" at this interval misses nothing.
    AnyOrder {
        /// How often to ask.
        poll_every: Duration,
    },
}
