//! Who waits for which session to be revoked.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::blacklist::Blacklist;

/// The sessions that somebody waits for.
#[derive(Default)]
pub(crate) struct Waiters(Mutex<HashMap<u128, Waiter>>);

struct Waiter {
    revoked: CancellationToken,
    count: usize,
}

impl Waiters {
    /// Wakes everybody who waits for this session.
    pub(super) fn wake(&self, key: u128) {
        if let Some(waiter) = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            waiter.revoked.cancel();
        }
    }

    fn join(&self, key: u128) -> CancellationToken {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiter = waiters.entry(key).or_insert_with(|| Waiter {
            revoked: CancellationToken::new(),
            count: 0,
        });
        waiter.count += 1;
        waiter.revoked.clone()
    }

    fn leave(&self, key: u128) {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiter) = waiters.get_mut(&key) {
            waiter.count -= 1;
            if waiter.count == 0 {
                waiters.remove(&key);
            }
        }
    }
}

/// A place among those who wait for a session; given up when dropped.
pub(crate) struct Waiting {
    blacklist: Arc<Blacklist>,
    key: u128,
    revoked: CancellationToken,
}

impl Waiting {
    pub(super) fn new(blacklist: Arc<Blacklist>, key: u128) -> Self {
        let revoked = blacklist.waiters.join(key);
        // Joined before looking, so that a revocation between the two is not missed.
        if blacklist.contains_key(key) {
            revoked.cancel();
        }
        Self {
            blacklist,
            key,
            revoked,
        }
    }

    /// Completes when the session has been revoked.
    pub(crate) async fn revoked(&self) {
        self.revoked.cancelled().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.blacklist.waiters.leave(self.key);
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SessionHandle, clock::ManualClock};

    /// J10: giving up waiting gives up the place, so that no list grows with the clients that go
    /// away.
    #[test]
    fn who_no_longer_waits_takes_no_place() {
        let blacklist = Arc::new(Blacklist::new(10, Arc::new(ManualClock::default())));
        let handles = ["a", "a", "b"].map(|text| SessionHandle::try_from(text).unwrap());
        let waiting = handles.each_ref().map(|handle| blacklist.wait_for(handle));
        assert_eq!(blacklist.waiters.0.lock().unwrap().len(), 2);
        drop(waiting);
        assert!(blacklist.waiters.0.lock().unwrap().is_empty());
    }
}
