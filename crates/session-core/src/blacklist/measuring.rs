//! What the package `bench` measures. No part of the API: it may change or go in any release.

use std::{sync::Arc, time::Duration};

use super::{Blacklist, Freshness, Listed};
use crate::{clock::Clock, ids::SessionHandle, store::RevokedSession};

/// The set of revoked sessions, as fresh as can be.
#[derive(Debug)]
pub struct RevokedSessions(Blacklist);

impl RevokedSessions {
    /// A set for this many sessions.
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        let blacklist = Blacklist::new(capacity, clock);
        blacklist.set_fresh(Freshness::Always);
        Self(blacklist)
    }

    /// Adds sessions.
    pub fn extend(&self, sessions: &[RevokedSession]) {
        self.0.extend(sessions);
    }

    /// Whether a session is in the set; `None` when the database has to be asked.
    pub fn look_up(&self, handle: &SessionHandle) -> Option<bool> {
        match self.0.look_up(handle, Duration::from_secs(5)) {
            Listed::Revoked => Some(true),
            Listed::Absent => Some(false),
            Listed::Unknown(_) => None,
        }
    }

    /// Forgets what has expired, as the service does from time to time.
    pub async fn sweep(&self) {
        self.0.sweep_in_turns().await;
    }
}
