//! The in-memory set of sessions that are revoked but whose access tokens have not all expired.
//!
//! The set only grows by union and shrinks by time, so the order in which revocations become known,
//! repeats and several feeds at once do no harm. Nothing can take a session out of it before its
//! last access token has expired.

mod attendance;
mod doubt;
mod entries;
mod expiry;
mod feed;
mod freshness;
#[cfg(feature = "measuring")]
#[doc(hidden)]
pub mod measuring;
mod moment;
mod unreliable;
mod waiters;

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use siphasher::sip128::SipHasher13;
use tokio::{sync::Notify, task};

use crate::{
    clock::{Clock, duration_ms},
    config::defaults::{ACCESS_TOKEN_LIFETIME_RANGE, REVOCATION_SKEW_RANGE},
    ids::SessionHandle,
    store::RevokedSession,
};
use attendance::Attendance;
pub(crate) use attendance::LeaseTerms;
pub(crate) use doubt::Unsettled;
use entries::Entries;
use expiry::Expiry;
pub use feed::{FeedMoment, FeedReceiver, Notifications, RevocationFeed};
pub(crate) use feed::{InProcessFeed, StorePollingFeed};
use freshness::{Freshness, Known};
pub(crate) use moment::Moment;
pub use unreliable::Unreliable;
use waiters::Waiters;
pub(crate) use waiters::Waiting;

/// The set of revoked sessions, with what is known about how fresh it is.
pub(crate) struct Blacklist {
    entries: Entries,
    /// When room was last looked for, on the monotonic clock.
    swept: Mutex<Option<Duration>>,
    incomplete_until_ms: AtomicI64,
    capacity: usize,
    known: Known,
    notifications: Mutex<Notifications>,
    /// Counted while `known` is changed.
    doubts: AtomicU64,
    doubted: Notify,
    attendance: Attendance,
    moments: AtomicU64,
    waiters: Waiters,
    expiry: Expiry,
    clock: Arc<dyn Clock>,
}

/// What the set says about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Listed {
    /// The session was revoked.
    Revoked,
    /// The session had not been revoked as of `age` ago.
    Absent,
    /// The set cannot say.
    Unknown(Unreliable),
}

impl Blacklist {
    pub(crate) fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            entries: Entries::new(capacity),
            swept: Mutex::default(),
            incomplete_until_ms: AtomicI64::new(i64::MIN),
            capacity,
            known: Known::default(),
            notifications: Mutex::default(),
            doubts: AtomicU64::new(0),
            doubted: Notify::new(),
            attendance: Attendance::default(),
            moments: AtomicU64::new(0),
            waiters: Waiters::default(),
            expiry: Expiry::new(Arc::clone(&clock)),
            clock,
        }
    }

    /// Adds sessions and wakes whoever waits for them to end.
    ///
    /// Somebody may be able to forge what a feed hears, a database's own notifications too. So that
    /// nothing stays for ever, a record is cut where the longest access token that is made now can be
    /// forgotten.
    pub(crate) fn extend<'a>(&self, revoked: impl IntoIterator<Item = &'a RevokedSession>) {
        let now_ms = self.now_ms();
        let latest_ms = now_ms.saturating_add(duration_ms(longest_record()));
        for session in revoked {
            let key = key_of(&session.handle);
            if self.len() >= self.capacity {
                self.make_room();
            }
            if session.expires_at_ms <= now_ms {
                // Nobody has a token of it any more.
            } else if self.len() >= self.capacity && !self.entries.contains(key) {
                self.incomplete_until_ms
                    .fetch_max(session.expires_at_ms.min(latest_ms), Ordering::AcqRel);
            } else {
                let expires_at_ms = session.expires_at_ms.min(latest_ms);
                self.entries.insert(key, expires_at_ms);
            }
            self.waiters.wake(key);
            self.attendance.has_heard();
        }
    }

    /// What is known about a session, if the set is no older than `max_staleness`.
    pub(crate) fn look_up(&self, handle: &SessionHandle, max_staleness: Duration) -> Listed {
        self.look_up_key(key_of(handle), max_staleness)
    }

    /// As [`look_up`](Self::look_up), of the session with this [key](key_of).
    pub(crate) fn look_up_key(&self, key: u128, max_staleness: Duration) -> Listed {
        // Judged before looking: a set that only becomes complete after the look is no witness.
        let unreliable = self.unreliable(max_staleness);
        if self.contains_key(key) {
            return Listed::Revoked;
        }
        unreliable.map_or(Listed::Absent, Listed::Unknown)
    }

    /// How long ago the set was complete; `None` when no feed has spoken yet, or not since a clock
    /// was set back that had been ahead.
    pub(crate) fn age(&self) -> Option<Duration> {
        let freshness = self.known.get();
        if matches!(freshness, Freshness::Never) {
            return None;
        }
        let now = self.expiry.moment();
        match freshness {
            Freshness::Never => None,
            _ if self.expiry.was_set_back_at(now) => None,
            Freshness::Always => Some(Duration::ZERO),
            Freshness::AsOf(moment) => Some(now.since(moment)),
        }
    }

    /// The present moment.
    pub(crate) fn moment(&self) -> Moment {
        Moment::now(&*self.clock, self.moments.fetch_add(1, Ordering::AcqRel))
    }

    /// Whether the store's own notifications arrive.
    pub(crate) fn notifications(&self) -> Notifications {
        *self
            .notifications
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn set_notifications(&self, notifications: Notifications) {
        *self
            .notifications
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = notifications;
    }

    /// How many sessions are in the set.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether a revoked session found no room. Until its last access token has expired, the
    /// database is asked about sessions that are not in the set.
    pub(crate) fn is_incomplete(&self) -> bool {
        let until_ms = self.incomplete_until_ms.load(Ordering::Acquire);
        // Nearly always it never was, and then no clock need be read.
        until_ms != i64::MIN && until_ms > self.now_ms()
    }

    /// Forgets the sessions whose access tokens have all expired.
    pub(crate) fn sweep(&self) {
        self.entries.sweep(self.now_ms()).for_each(drop);
    }

    /// As [`sweep`](Self::sweep), and lets other tasks run in between.
    pub(crate) async fn sweep_in_turns(&self) {
        let mut looked_at = 0;
        for entries in self.entries.sweep(self.now_ms()) {
            looked_at += entries;
            if looked_at >= ENTRIES_AT_A_TURN {
                looked_at = 0;
                task::yield_now().await;
            }
        }
    }

    /// Sweeps a full set, not more often than in a while: when it stays full, everything that is
    /// revoked asks for it.
    fn make_room(&self) {
        let now = self.clock.monotonic();
        let is_due = {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = swept.is_none_or(|swept| now.saturating_sub(swept) >= BETWEEN_SWEEPS);
            if is_due {
                *swept = Some(now);
            }
            is_due
        };
        if is_due {
            self.sweep();
        }
    }

    /// The time that entries expire by.
    pub(crate) fn now_ms(&self) -> i64 {
        self.expiry.now_ms()
    }

    /// A registration that is woken when the session is revoked.
    pub(crate) fn wait_for(self: &Arc<Self>, handle: &SessionHandle) -> Waiting {
        Waiting::new(Arc::clone(self), key_of(handle))
    }

    pub(crate) fn contains_key(&self, key: u128) -> bool {
        self.entries.contains(key)
    }

    fn set_fresh(&self, freshness: Freshness) {
        let mut covered = true;
        self.known.change(|known| {
            // Judged in our turn: a node that leaves meanwhile is not to be fresh afterwards.
            if let Freshness::AsOf(moment) = freshness {
                covered = self.attendance.covers(moment);
            }
            let is_older = match (known, freshness) {
                (Freshness::Always, _) => true,
                (Freshness::AsOf(known), Freshness::AsOf(moment)) => moment.is_before(known),
                _ => false,
            };
            (covered && !is_older).then_some(freshness)
        });
        if covered {
            self.attendance.has_freshened();
        }
    }

    /// A revocation of ours may have been committed although its answer did not arrive, so what is
    /// here is no longer all there is. A feed that asks the store regularly will hear of it.
    fn doubt(&self) {
        self.known.change(|known| {
            self.doubts.fetch_add(1, Ordering::Relaxed);
            matches!(known, Freshness::Always).then_some(Freshness::Never)
        });
        self.doubted.notify_one();
    }
}

impl fmt::Debug for Blacklist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blacklist")
            .field("len", &self.len())
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}

/// How long a revocation can matter: the longest life of an access token, and the largest skew.
fn longest_record() -> Duration {
    let lifetime = *ACCESS_TOKEN_LIFETIME_RANGE.end();
    lifetime.saturating_add(*REVOCATION_SKEW_RANGE.end())
}

/// 128 bits that stand for a handle in the sets of this process: two handles share them with a
/// probability that can be neglected, and then the error is to refuse. Nobody can look for two that
/// do, as the hash is keyed by chance.
pub(crate) fn key_of(handle: &SessionHandle) -> u128 {
    static KEYED: LazyLock<SipHasher13> = LazyLock::new(|| {
        let by_chance = RandomState::new();
        SipHasher13::new_with_keys(by_chance.hash_one(0), by_chance.hash_one(1))
    });
    KEYED.hash(handle.as_str().as_bytes()).as_u128()
}

/// Looked at in about a tenth of a millisecond.
const ENTRIES_AT_A_TURN: usize = 10_000;
const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
