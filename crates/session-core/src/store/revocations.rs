//! What is recorded of revocations, and how other nodes read it.

use std::time::{Duration, SystemTime};

use crate::{
    clock::{duration_ms, unix_ms},
    ids::SessionHandle,
};

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
    /// The record of a session whose row had `access_expires_at_ms`.
    pub fn new(handle: SessionHandle, access_expires_at_ms: i64, retention: Retention) -> Self {
        Self {
            handle,
            expires_at_ms: retention.end_ms(access_expires_at_ms),
        }
    }
}

/// How long a revocation is remembered: until nobody can hold an access token of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the arguments of one statement")]
pub struct Retention {
    /// How much longer than the latest access token that the row knows of, because clocks differ
    /// (security G14).
    pub skew: Duration,
    /// The earliest end of a record, in Unix milliseconds, whatever the row says. A database that
    /// was restored from a backup, or failed over to a replica that was behind, has rows that do not
    /// know of the last access tokens.
    pub at_least_until_ms: i64,
}

impl Retention {
    /// For a revocation at `now`, where no access token lives longer than `longest_access_token`.
    pub fn at(now: SystemTime, longest_access_token: Duration, skew: Duration) -> Self {
        let longest_ms = duration_ms(longest_access_token.saturating_add(skew));
        Self {
            skew,
            at_least_until_ms: unix_ms(now).saturating_add(longest_ms),
        }
    }

    /// The end of the record of a session whose row has `access_expires_at_ms`. One that does not
    /// fit is the latest there is.
    pub fn end_ms(self, access_expires_at_ms: i64) -> i64 {
        access_expires_at_ms
            .saturating_add(duration_ms(self.skew))
            .max(self.at_least_until_ms)
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
