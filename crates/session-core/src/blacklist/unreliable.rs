//! `Unreliable`: why a set cannot say that a session is live.

use std::{fmt, time::Duration};

use super::Blacklist;

/// Why the set of revoked sessions cannot say that a session is live, so that the database is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreliable {
    /// It was never complete: the node has just started and has not read the revocations yet, or a
    /// clock was set back that had been ahead.
    NeverComplete,
    /// It was complete longer ago than is allowed.
    Old,
    /// It has no room for all sessions that were revoked.
    Full,
    /// The node's lease in the registry is over, so nobody waits for it.
    Unregistered,
}

impl Unreliable {
    /// The name: `never_complete`, `old`, `full` or `unregistered`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverComplete => "never_complete",
            Self::Old => "old",
            Self::Full => "full",
            Self::Unregistered => "unregistered",
        }
    }
}

impl fmt::Display for Unreliable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Blacklist {
    /// What keeps the set from being relied upon, if it must be no older than `max_staleness`.
    pub(crate) fn unreliable(&self, max_staleness: Duration) -> Option<Unreliable> {
        let age = self.age();
        if self.is_incomplete() {
            Some(Unreliable::Full)
        } else if age.is_some_and(|age| age <= max_staleness) {
            None
        } else if self.holds_lease() == Some(false) {
            Some(Unreliable::Unregistered)
        } else if age.is_none() {
            Some(Unreliable::NeverComplete)
        } else {
            Some(Unreliable::Old)
        }
    }
}
