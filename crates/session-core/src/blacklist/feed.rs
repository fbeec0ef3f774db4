//! Feeds: how the set of revoked sessions hears of what other nodes revoke.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Blacklist, Freshness, Moment};
use crate::{
    store::{RevocationCursor, RevokedSession},
    store_calls::StoreCalls,
};

/// How a node hears of revocations.
///
/// A feed may only ever say "revoked", never "valid". It runs in a task of the service's until it
/// is told to stop, and earns the set's freshness by [`FeedReceiver::complete_as_of`]: a feed that
/// falls silent makes the set old, and routes that ask for it then ask the database.
#[async_trait]
pub trait RevocationFeed: fmt::Debug + Send + Sync + 'static {
    /// Tells `receiver` what is revoked, until `stop` is cancelled. A feed that cannot go on tries
    /// again by itself; returning early means silence.
    async fn run(&self, receiver: FeedReceiver, stop: CancellationToken);
}

/// Where a feed puts what it hears.
#[derive(Debug, Clone)]
pub struct FeedReceiver {
    pub(super) blacklist: Arc<Blacklist>,
    calls: StoreCalls,
    vouches: bool,
}

/// Whether a store that tells of revocations by itself does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Notifications {
    /// The store does not tell; it is asked regularly.
    #[default]
    None,
    /// What the store tells arrives.
    Arriving,
    /// What the store tells does not arrive, or not yet; it is asked regularly.
    Missing,
}

/// A moment on the service's clocks.
#[derive(Debug, Clone, Copy)]
pub struct FeedMoment(pub(super) Moment);

impl FeedReceiver {
    pub(crate) fn new(blacklist: Arc<Blacklist>, calls: StoreCalls) -> Self {
        Self {
            blacklist,
            calls,
            vouches: true,
        }
    }

    /// For a feed that may be sooner than the store's own and may miss what that one hears.
    pub(crate) fn beside_the_store(blacklist: Arc<Blacklist>, calls: StoreCalls) -> Self {
        Self {
            blacklist,
            calls,
            vouches: false,
        }
    }

    /// Adds revoked sessions. Repeats and any order are fine.
    pub fn revoked(&self, sessions: &[RevokedSession]) {
        self.blacklist.extend(sessions);
    }

    /// The present moment: to be taken *before* asking, so that an answer is never said to be
    /// fresher than the question.
    pub fn moment(&self) -> FeedMoment {
        FeedMoment(self.blacklist.moment())
    }

    /// Everything that was acknowledged before `moment` has been told.
    ///
    /// Only the store's own feed is believed: one that was added beside it makes hearing faster and
    /// nothing else.
    pub fn complete_as_of(&self, moment: FeedMoment) {
        if self.vouches {
            self.blacklist.set_fresh(Freshness::AsOf(moment.0));
        }
    }

    /// Asks the store for everything after `cursor`, adds it and moves the cursor on; `false` when
    /// the store did not answer. For a feed that has, or may have, missed something.
    ///
    /// When it is `false`, the cursor is where it was: pages that were read go together with what
    /// was committed before the first of them, and the next attempt begins later.
    ///
    /// After a clock that was ahead has been set back, everything is read: some of what came before
    /// the cursor was left out as expired.
    pub async fn catch_up(&self, cursor: &mut RevocationCursor) -> bool {
        let mut reading = Reading::begin(&self.blacklist, cursor);
        let is_complete = self.read_to_the_end(&mut reading.next).await;
        if is_complete {
            reading.end(&self.blacklist, cursor);
        }
        is_complete
    }

    async fn read_to_the_end(&self, cursor: &mut RevocationCursor) -> bool {
        loop {
            let asked = cursor.clone();
            let from = cursor.clone();
            let now_ms = self.blacklist.now_ms();
            let page = self
                .calls
                .call("revocations_since", move |store| async move {
                    store.revocations_since(from, now_ms, PAGE).await
                })
                .await;
            match page {
                Ok(page) => {
                    self.revoked(&page.revoked);
                    *cursor = page.next;
                    if !page.more {
                        return true;
                    }
                    if *cursor == asked {
                        tracing::warn!("the store has more revocations and does not get to them");
                        return false;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the revocations could not be read");
                    return false;
                }
            }
        }
    }

    /// Completes when somebody waits for the set to be complete as of now: a feed that can find out
    /// sooner than it would by itself does so. Never completes for a feed beside the store's own.
    pub async fn wanted(&self) {
        if self.vouches {
            self.blacklist.wanted().await;
        } else {
            std::future::pending::<()>().await;
        }
    }

    /// Says in the node's health whether the store's own notifications arrive. Only the store's own
    /// feed is believed.
    pub fn notifications(&self, notifications: Notifications) {
        if self.vouches {
            self.blacklist.set_notifications(notifications);
        }
    }

    /// How often a revocation of this process has been in doubt.
    pub(crate) fn doubts(&self) -> u64 {
        self.blacklist.doubts.load(Ordering::Relaxed)
    }

    /// Nobody but this process can revoke, so everything has been told and always will be, unless
    /// a revocation has come into doubt since there were `doubts` of them.
    pub(crate) fn complete_unless_doubted_since(&self, doubts: u64) {
        self.blacklist
            .known
            .change(|_| (self.doubts() == doubts).then_some(Freshness::Always));
    }

    /// Completes when a revocation of this process is in doubt.
    pub(crate) async fn doubted(&self) {
        self.blacklist.doubted.notified().await;
    }

    /// Completes within a second after a clock has been set back that was ahead when the set was
    /// begun: of that nobody tells.
    async fn clock_set_back(&self) {
        while !self.blacklist.expiry.was_set_back() {
            tokio::time::sleep(BETWEEN_LOOKS_AT_THE_CLOCK).await;
        }
    }
}

/// A reading of the list. It moves a cursor once it has come to the end.
#[derive(Debug)]
pub(super) struct Reading {
    /// Where its next page begins.
    pub(super) next: RevocationCursor,
    /// When it began, if it reads everything.
    pub(super) from_the_start: Option<Moment>,
}

impl Reading {
    pub(super) fn begin(blacklist: &Blacklist, cursor: &RevocationCursor) -> Self {
        let was_set_back = blacklist.expiry.was_set_back();
        let from_the_start = was_set_back.then(|| blacklist.moment());
        Self {
            next: match from_the_start {
                Some(_) => RevocationCursor::default(),
                None => cursor.clone(),
            },
            from_the_start,
        }
    }

    /// Its last page is in the set.
    pub(super) fn end(self, blacklist: &Blacklist, cursor: &mut RevocationCursor) {
        *cursor = self.next;
        if let Some(moment) = self.from_the_start {
            blacklist.expiry.begin_at(moment);
        }
    }
}

/// The feed of a process that is alone with its store.
#[derive(Debug)]
pub(crate) struct InProcessFeed;

#[async_trait]
impl RevocationFeed for InProcessFeed {
    async fn run(&self, receiver: FeedReceiver, stop: CancellationToken) {
        let mut cursor = RevocationCursor::default();
        loop {
            let doubts = receiver.doubts();
            let is_complete = receiver.catch_up(&mut cursor).await;
            if is_complete {
                receiver.complete_unless_doubted_since(doubts);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = receiver.doubted(), if is_complete => {}
                () = receiver.clock_set_back(), if is_complete => {}
                () = tokio::time::sleep(RETRY), if !is_complete => {}
            }
        }
    }
}

/// The feed of a store that others write to: asks again and again what came since.
#[derive(Debug)]
pub(crate) struct StorePollingFeed {
    pub(crate) every: Duration,
}

#[async_trait]
impl RevocationFeed for StorePollingFeed {
    async fn run(&self, receiver: FeedReceiver, stop: CancellationToken) {
        let mut cursor = RevocationCursor::default();
        loop {
            let asked = receiver.moment();
            if receiver.catch_up(&mut cursor).await {
                receiver.complete_as_of(asked);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = receiver.wanted() => {}
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }
}

const PAGE: u32 = 1_000;
const RETRY: Duration = Duration::from_secs(1);
const BETWEEN_LOOKS_AT_THE_CLOCK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
