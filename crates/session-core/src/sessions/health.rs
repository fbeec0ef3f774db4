//! What a readiness probe wants to know.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    backend::SessionBackend,
    blacklist::{Notifications, Unreliable},
    error::SessionError,
    sessions::Sessions,
};

/// Whether this node can serve, and if not, why.
#[derive(Debug)]
#[non_exhaustive]
pub struct Health {
    /// Why the store does not answer; `None` when it does.
    pub store: Option<SessionError>,
    /// How far the store's clock is from ours, as last measured; `None` when the store has no clock
    /// of its own.
    pub clock_offset: Option<Duration>,
    /// The set of revoked sessions.
    pub blacklist: BlacklistHealth,
    /// Whether others who wait for their revocations to be known everywhere wait for this node.
    pub attendance: Attendance,
    /// Whether there is a key to sign with.
    pub can_sign: bool,
}

/// Whether a node is in the registry of its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Attendance {
    /// No other node uses the store.
    NotNeeded,
    /// It is.
    Registered,
    /// Its lease is over, or it has none yet: routes that check the blacklist ask the database.
    Lapsed,
}

/// The state of the set of revoked sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlacklistHealth {
    /// How long ago the set was complete; `None` when it never was.
    pub age: Option<Duration>,
    /// How many sessions are in it.
    pub entries: usize,
    /// Why it cannot be relied upon, so that routes that check it ask the database; `None` when it
    /// can.
    pub unreliable: Option<Unreliable>,
    /// Whether the store tells this node of revocations by itself.
    pub notifications: Notifications,
}

impl BlacklistHealth {
    /// Whether routes that check the blacklist need no database.
    pub fn is_fresh(&self) -> bool {
        self.unreliable.is_none()
    }
}

impl Health {
    /// Whether this node should get requests: the store answers, there is a key, and the clocks are
    /// less than 30 seconds apart. A blacklist that is not fresh costs speed, not correctness.
    pub fn is_ready(&self) -> bool {
        let clocks_agree = self
            .clock_offset
            .is_none_or(|offset| offset <= MAX_CLOCK_OFFSET);
        self.store.is_none() && self.can_sign && clocks_agree
    }
}

/// What the background task has measured last.
#[derive(Debug, Default)]
pub(super) struct Measured {
    clock_offset: Mutex<Option<Duration>>,
}

impl Measured {
    pub(super) fn set_clock_offset(&self, offset: Option<Duration>) {
        *self
            .clock_offset
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = offset;
        match offset {
            Some(offset) if offset > WARN_CLOCK_OFFSET => {
                tracing::warn!(?offset, "this machine's clock and the database's differ");
            }
            _ => {}
        }
    }

    /// Whether this node may delete by its clock what has expired: measured now, as it may have been
    /// set since it was last looked at. Not when the database does not say.
    pub(super) async fn clocks_agree(&self, backend: &dyn SessionBackend) -> bool {
        match backend.ping().await {
            Ok(offset) => {
                self.set_clock_offset(offset);
                offset.is_none_or(|offset| offset <= MAX_CLOCK_OFFSET)
            }
            Err(error) => {
                tracing::warn!(%error, "the store's clock could not be read");
                false
            }
        }
    }

    fn clock_offset(&self) -> Option<Duration> {
        *self
            .clock_offset
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    /// The state of this node, for a readiness probe. Costs one small query.
    pub async fn health(&self) -> Health {
        let max_staleness = self.config().max_staleness();
        Health {
            store: match self.backend().ping().await {
                Ok(offset) => {
                    self.0.health.set_clock_offset(offset);
                    None
                }
                Err(error) => Some(error),
            },
            clock_offset: self.0.health.clock_offset(),
            blacklist: BlacklistHealth {
                age: self.blacklist().age(),
                entries: self.blacklist().len(),
                unreliable: self.blacklist().unreliable(max_staleness),
                notifications: self.blacklist().notifications(),
            },
            attendance: match self.blacklist().holds_lease() {
                None => Attendance::NotNeeded,
                Some(true) => Attendance::Registered,
                Some(false) => Attendance::Lapsed,
            },
            can_sign: self
                .backend()
                .keys()
                .signing_key(
                    self.config().signing_key_kind().purpose(),
                    self.clock().now(),
                )
                .is_some(),
        }
    }
}

/// Design §5: over this the operator hears of it, and over the other the node is not ready.
pub(super) const WARN_CLOCK_OFFSET: Duration = Duration::from_secs(2);
pub(super) const MAX_CLOCK_OFFSET: Duration = Duration::from_secs(30);
