//! What the model is made of: the set as it is between two steps, the list, the clocks, and the true
//! history.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    super::{Blacklist, Freshness, Moment},
    list::{List, Page, Session},
};
use crate::clock::{ManualClock, from_unix_ms};

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now_ms: i64,
    pub(super) clocks: NodeClocks,
    pub(super) set: Taken,
    pub(super) poll: Poll,
    pub(super) cursor: Vec<u64>,
    pub(super) list: List,
    /// Committed by this node or by another, and not answered yet.
    pub(super) unanswered: BTreeMap<Session, Revoker>,
    /// Whose answer is lost.
    pub(super) unconfirmed: BTreeSet<Session>,
    /// When, and to whom.
    pub(super) acknowledged: BTreeMap<Session, (i64, Revoker)>,
    /// What this process has once known to be revoked.
    pub(super) known: BTreeSet<Session>,
    pub(super) clock_events: u8,
    pub(super) has_restarted: bool,
    pub(super) has_forged: bool,
    pub(super) has_read_again: bool,
    pub(super) said: Said,
}

/// What the set has said about a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what has happened, each by itself"
)]
pub(super) struct Said {
    pub(super) live: bool,
    pub(super) live_too_late: bool,
    pub(super) live_again: bool,
    /// After everything was read again.
    pub(super) live_anew: bool,
}

/// Whose revocation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Revoker {
    ThisProcess,
    Another,
}

/// What the node's clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeClocks {
    pub(super) wall_ms: i64,
    pub(super) monotonic_ms: i64,
    /// What the monotonic one showed when the process began.
    pub(super) began_at: i64,
}

impl NodeClocks {
    pub(super) fn moment(self) -> TakenMoment {
        (millis(self.monotonic_ms), self.wall_ms)
    }
}

/// How far a poll has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Poll {
    None,
    Asked(Question),
    Answered(Question, Page),
}

/// What a poll remembers while it waits for a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    /// When the poll began.
    pub(super) moment: TakenMoment,
    pub(super) doubts: u64,
    /// When it began if it reads everything.
    pub(super) from_the_start: Option<TakenMoment>,
    /// Where the page begins, and what has expired by then.
    pub(super) next: Vec<u64>,
    pub(super) now_ms: i64,
}

/// A moment on both clocks: monotonic, then wall.
pub(super) type TakenMoment = (Duration, i64);

/// The set, taken down between two steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Taken {
    entries: BTreeMap<u128, i64>,
    incomplete_until_ms: i64,
    freshness: TakenFreshness,
    doubts: u64,
    /// What the wall clock showed when the set was begun, as far as it knows.
    began_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum TakenFreshness {
    Never,
    Always,
    AsOf(TakenMoment),
}

impl Taken {
    pub(super) fn begun(clocks: NodeClocks) -> Self {
        Self {
            entries: BTreeMap::new(),
            incomplete_until_ms: i64::MIN,
            freshness: TakenFreshness::Never,
            doubts: 0,
            began_ms: clocks.wall_ms,
        }
    }

    /// The service's own set, as it was.
    pub(super) fn restore(&self, capacity: usize, clocks: NodeClocks) -> Arc<Blacklist> {
        let clock = Arc::new(ManualClock::new(from_unix_ms(clocks.wall_ms)));
        clock.advance(millis(clocks.began_at));
        let set = Blacklist::new(capacity, clock.clone());
        clock.advance(millis(clocks.monotonic_ms - clocks.began_at));
        clock.set_wall_clock(from_unix_ms(clocks.wall_ms));
        let relaxed = Ordering::Relaxed;
        set.expiry.began_ms.store(self.began_ms, relaxed);
        for (key, until_ms) in &self.entries {
            set.entries.insert(*key, *until_ms);
        }
        set.incomplete_until_ms
            .store(self.incomplete_until_ms, relaxed);
        set.doubts.store(self.doubts, relaxed);
        // A moment that is taken now comes after those of before.
        set.moments.store(moment_of(clocks.moment()).order, relaxed);
        let freshness = match self.freshness {
            TakenFreshness::Never => Freshness::Never,
            TakenFreshness::Always => Freshness::Always,
            TakenFreshness::AsOf(moment) => Freshness::AsOf(moment_of(moment)),
        };
        set.known.change(|_| Some(freshness));
        Arc::new(set)
    }

    pub(super) fn take_down(set: &Blacklist) -> Self {
        let freshness = match set.known.get() {
            Freshness::Never => TakenFreshness::Never,
            Freshness::Always => TakenFreshness::Always,
            Freshness::AsOf(moment) => TakenFreshness::AsOf(taken(moment)),
        };
        Self {
            entries: set.entries.all().into_iter().collect(),
            incomplete_until_ms: set.incomplete_until_ms.load(Ordering::Relaxed),
            freshness,
            doubts: set.doubts.load(Ordering::Relaxed),
            began_ms: set.expiry.began_ms.load(Ordering::Relaxed),
        }
    }

    /// When the last of what a message can do to the set is over.
    pub(super) fn latest_end_ms(&self) -> i64 {
        let entries = self.entries.values().copied();
        entries.fold(self.incomplete_until_ms, i64::max)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// A mistake's ways of changing what is in the set.
    pub(super) fn entries_mut(&mut self) -> &mut BTreeMap<u128, i64> {
        &mut self.entries
    }

    pub(super) fn incomplete_until_ms_mut(&mut self) -> &mut i64 {
        &mut self.incomplete_until_ms
    }

    pub(super) fn began_ms_mut(&mut self) -> &mut i64 {
        &mut self.began_ms
    }
}

/// Moments of a model are in the order of its monotonic clock.
pub(super) fn moment_of((monotonic, wall_ms): TakenMoment) -> Moment {
    Moment {
        monotonic,
        wall_ms,
        order: u64::try_from(monotonic.as_millis()).unwrap_or(u64::MAX),
    }
}

pub(super) fn taken(moment: Moment) -> TakenMoment {
    (moment.monotonic, moment.wall_ms)
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}
