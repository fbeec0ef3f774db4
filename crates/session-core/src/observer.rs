//! What an application can listen to.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use crate::ids::{SessionHandle, UserId};

/// Hears of what happens to sessions.
///
/// Called after the fact, one event after the other, in a task of the service's: a slow or panicking
/// observer delays and changes nothing (security F15). One that takes longer than ten seconds over an
/// event is stopped, and of more than a thousand waiting events the newest are dropped. All methods do nothing unless implemented.
#[async_trait]
pub trait SessionObserver: fmt::Debug + Send + Sync + 'static {
    /// A refresh token was used after its time. Unless [`TheftEvent::revoked`] is `false` (shadow
    /// mode), the session has been revoked.
    async fn theft_detected(&self, event: &TheftEvent) {
        let _ = event;
    }

    /// A superseded refresh token was used inside the grace window: usually a slow tab or a lost
    /// response, and the only trace of a thief who is fast enough.
    async fn replayed_within_grace(&self, event: &ReplayEvent) {
        let _ = event;
    }
}

/// A refresh token was used after its time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TheftEvent {
    /// Whose session.
    pub user: UserId,
    /// Which session.
    pub handle: SessionHandle,
    /// How late the token was.
    pub class: ReplayClass,
    /// Whether the session was revoked; `false` only in shadow mode.
    pub revoked: bool,
}

/// A superseded refresh token was used inside the grace window.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayEvent {
    /// Whose session.
    pub user: UserId,
    /// Which session.
    pub handle: SessionHandle,
    /// How many rotations ago the token was the current one.
    pub steps_behind: u64,
    /// How long ago it was superseded.
    pub superseded_for: Duration,
}

/// How late a superseded refresh token was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum ReplayClass {
    /// Inside the grace window: an honest tab, a retry, or a fast thief.
    WithinGrace,
    /// After the grace window.
    AfterGrace,
    /// More rotations ago than a row remembers, or from a line that the row never had.
    StaleGeneration,
}

impl ReplayClass {
    /// The name used in events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WithinGrace => "within_grace",
            Self::AfterGrace => "after_grace",
            Self::StaleGeneration => "stale_generation",
        }
    }
}
