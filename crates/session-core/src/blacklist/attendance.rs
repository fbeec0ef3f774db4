//! What makes a set that calls itself fresh one that can be waited for.
//!
//! Whoever waits until every node has heard of a revocation does not wait for a node whose lease in
//! the registry is over. Such a node may be cut off from the registry alone and hear its feed, so it
//! must not go by its set. That costs a look-up nothing: a feed's word "complete as of then" is only
//! taken when the lease covers all of the time for which the set would be fresh by it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{Blacklist, Freshness, Moment};

/// Whether somebody may rely on this node's set, and who wants to know of its changes.
#[derive(Default)]
pub(super) struct Attendance {
    lease: Mutex<Lease>,
    heard: Notify,
    freshened: Notify,
    wanted: Notify,
    uncovered: Notify,
}

/// How long a lease is, less what clocks may disagree by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseTerms {
    /// For how long it holds.
    pub(crate) holds: Duration,
    /// How much of that may have passed at a moment that the set is then fresh as of.
    pub(crate) covers: Duration,
}

/// What is known of this node's lease.
#[derive(Debug, Clone, Copy, Default)]
enum Lease {
    /// Nobody else uses the store, or nobody waits for this node.
    #[default]
    NotNeeded,
    /// The node is not in the registry, as far as it knows.
    None,
    /// It has been in it without a break since the moment with this number; the last renewal was
    /// asked for at `from`.
    Held {
        unbroken_since: u64,
        from: Moment,
        terms: LeaseTerms,
    },
}

impl Blacklist {
    /// From now on the set is fresh only while the node has a lease.
    pub(crate) fn require_lease(&self) {
        *self.attendance.lease() = Lease::None;
    }

    /// The lease was renewed by a call that began at `asked`.
    ///
    /// When the one before may have been over by then, somebody may have gone by that, so nothing
    /// that the set was fresh as of before counts.
    pub(crate) fn renew_lease(&self, asked: Moment, terms: LeaseTerms) {
        let now = self.moment();
        let mut lease = self.attendance.lease();
        let unbroken_since = match *lease {
            Lease::Held {
                unbroken_since,
                from,
                terms,
            } if now.since(from) <= terms.holds => unbroken_since,
            Lease::NotNeeded | Lease::None | Lease::Held { .. } => now.order,
        };
        *lease = Lease::Held {
            unbroken_since,
            from: asked,
            terms,
        };
    }

    /// Whether the node's lease holds; `None` when it needs none.
    pub(crate) fn holds_lease(&self) -> Option<bool> {
        let now = self.moment();
        match *self.attendance.lease() {
            Lease::NotNeeded => None,
            Lease::None => Some(false),
            Lease::Held { from, terms, .. } => Some(now.since(from) <= terms.holds),
        }
    }

    /// The node leaves the registry: its set is not fresh any more and will not be again.
    pub(crate) fn give_up_lease(&self) {
        *self.attendance.lease() = Lease::None;
        self.known.change(|_| Some(Freshness::Never));
    }

    /// Whether everything acknowledged before `moment` is here.
    pub(crate) fn is_fresh_since(&self, moment: Moment) -> bool {
        match self.known.get() {
            Freshness::Never => false,
            Freshness::Always => true,
            Freshness::AsOf(known) => !known.is_before(moment),
        }
    }

    /// Asks the feed to make the set fresh as of now.
    pub(crate) fn want_fresh(&self) {
        self.attendance.wanted.notify_one();
    }

    /// Completes when somebody has asked for that.
    pub(super) async fn wanted(&self) {
        self.attendance.wanted.notified().await;
    }

    /// Completes when a session was added since the last time.
    pub(crate) async fn heard(&self) {
        self.attendance.heard.notified().await;
    }

    /// Completes when the set has become fresher since the last time.
    pub(crate) async fn freshened(&self) {
        self.attendance.freshened.notified().await;
    }

    /// Completes when the set could have become fresher, had the lease been longer.
    pub(crate) async fn uncovered(&self) {
        self.attendance.uncovered.notified().await;
    }
}

impl Attendance {
    pub(super) fn has_heard(&self) {
        self.heard.notify_one();
    }

    pub(super) fn has_freshened(&self) {
        self.freshened.notify_one();
    }

    /// Whether the set may be called fresh as of `moment`.
    pub(super) fn covers(&self, moment: Moment) -> bool {
        let covers = match *self.lease() {
            Lease::NotNeeded => true,
            Lease::None => false,
            Lease::Held {
                unbroken_since,
                from,
                terms,
            } => moment.order >= unbroken_since && moment.since(from) <= terms.covers,
        };
        if !covers {
            self.uncovered.notify_one();
        }
        covers
    }

    fn lease(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    const TERMS: LeaseTerms = LeaseTerms {
        holds: Duration::from_secs(10),
        covers: Duration::from_secs(5),
    };

    fn leased() -> (Blacklist, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        let blacklist = Blacklist::new(1_000, Arc::clone(&clock) as _);
        blacklist.require_lease();
        (blacklist, clock)
    }

    fn claim(blacklist: &Blacklist) -> Moment {
        let moment = blacklist.moment();
        blacklist.set_fresh(Freshness::AsOf(moment));
        moment
    }

    /// Design §7: a node that the registry does not know of goes by the database.
    #[test]
    fn a_set_without_a_lease_is_never_fresh() {
        let (blacklist, _clock) = leased();
        claim(&blacklist);
        assert_eq!(blacklist.age(), None);
        assert_eq!(blacklist.holds_lease(), Some(false));
        blacklist.renew_lease(blacklist.moment(), TERMS);
        let moment = claim(&blacklist);
        assert!(blacklist.is_fresh_since(moment));
        assert_eq!(blacklist.holds_lease(), Some(true));
    }

    /// Design §7: what makes the set fresh for a while is believed while the lease lasts for as long,
    /// on either clock.
    #[test]
    fn a_set_is_not_fresh_beyond_its_lease() {
        let (blacklist, clock) = leased();
        blacklist.renew_lease(blacklist.moment(), TERMS);
        clock.advance(TERMS.covers);
        let covered = claim(&blacklist);
        assert!(blacklist.is_fresh_since(covered));
        clock.advance(Duration::from_millis(1));
        let uncovered = claim(&blacklist);
        assert!(!blacklist.is_fresh_since(uncovered));

        blacklist.renew_lease(blacklist.moment(), TERMS);
        assert!(blacklist.is_fresh_since(claim(&blacklist)));
        let now = blacklist.clock.now();
        clock.set_wall_clock(now + TERMS.covers + Duration::from_millis(1));
        let slept = claim(&blacklist);
        assert!(!blacklist.is_fresh_since(slept));
    }

    /// Design §7: while the lease was over nobody waited for this node, so what it then called
    /// complete is not believed afterwards.
    #[test]
    fn what_was_asked_before_the_lease_was_held_again_does_not_count() {
        let (blacklist, clock) = leased();
        blacklist.renew_lease(blacklist.moment(), TERMS);
        let while_held = blacklist.moment();
        clock.advance(TERMS.holds);
        blacklist.renew_lease(while_held, TERMS);
        blacklist.set_fresh(Freshness::AsOf(while_held));
        assert!(blacklist.is_fresh_since(while_held));

        clock.advance(TERMS.holds + Duration::from_millis(1));
        let meanwhile = blacklist.moment();
        blacklist.renew_lease(blacklist.moment(), TERMS);
        blacklist.set_fresh(Freshness::AsOf(meanwhile));
        assert!(!blacklist.is_fresh_since(meanwhile));
        assert!(blacklist.is_fresh_since(claim(&blacklist)));
    }

    /// Of two moments at one time on the clocks, the set is fresh as of the earlier one only.
    #[test]
    fn moments_are_in_order_when_the_clock_stands_still() {
        let (blacklist, _clock) = leased();
        blacklist.renew_lease(blacklist.moment(), TERMS);
        let asked = blacklist.moment();
        let later = blacklist.moment();
        blacklist.set_fresh(Freshness::AsOf(asked));
        assert!(blacklist.is_fresh_since(asked));
        assert!(!blacklist.is_fresh_since(later));
    }

    /// A node that has left is not fresh, whatever its feed still says.
    #[test]
    fn a_set_whose_node_has_left_is_not_fresh() {
        let (blacklist, _clock) = leased();
        blacklist.renew_lease(blacklist.moment(), TERMS);
        claim(&blacklist);
        blacklist.give_up_lease();
        assert_eq!(blacklist.age(), None);
        claim(&blacklist);
        assert_eq!(blacklist.age(), None);
    }
}
