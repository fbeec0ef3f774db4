//! What the model is made of: the set as it is between two steps, the table, the clocks, and the
//! true history.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::super::{Blacklist, Freshness, Moment};
use crate::clock::{ManualClock, from_unix_ms};

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now_ms: i64,
    pub(super) clocks: NodeClocks,
    pub(super) set: Taken,
    pub(super) poll: Poll,
    pub(super) cursor: usize,
    /// The sessions that are revoked, in the order of the commits.
    pub(super) table: Vec<Session>,
    /// Committed by this node or by another, and not answered yet.
    pub(super) unanswered: BTreeMap<Session, Revoker>,
    /// Whose answer is lost.
    pub(super) unconfirmed: BTreeSet<Session>,
    pub(super) acknowledged_at_ms: BTreeMap<Session, i64>,
    /// What this process has once known to be revoked.
    pub(super) known: BTreeSet<Session>,
    pub(super) clock_events: u8,
    pub(super) has_restarted: bool,
    pub(super) has_forged: bool,
    pub(super) said: Said,
}

/// What the set has said about a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Said {
    pub(super) live: bool,
    pub(super) live_too_late: bool,
    pub(super) live_again: bool,
}

pub(super) type Session = &'static str;

/// Whose revocation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Revoker {
    ThisNode,
    AnotherNode,
}

/// What the node's clocks have shown since the node began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeClocks {
    pub(super) wall_ms: i64,
    pub(super) monotonic_ms: i64,
    /// When the process began.
    pub(super) began: (i64, i64),
}

/// How far a poll has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Poll {
    None,
    Asked {
        moment: TakenMoment,
        doubts: u64,
    },
    Answered {
        moment: TakenMoment,
        doubts: u64,
        page: Vec<Session>,
        more: bool,
    },
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum TakenFreshness {
    Never,
    Always,
    AsOf(TakenMoment),
}

impl Taken {
    pub(super) fn empty() -> Self {
        Self {
            entries: BTreeMap::new(),
            incomplete_until_ms: i64::MIN,
            freshness: TakenFreshness::Never,
            doubts: 0,
        }
    }

    /// The service's own set, as it was.
    pub(super) fn restore(&self, capacity: usize, clocks: NodeClocks) -> Arc<Blacklist> {
        let (wall_ms, monotonic_ms) = clocks.began;
        let clock = Arc::new(ManualClock::new(from_unix_ms(wall_ms)));
        clock.advance(millis(monotonic_ms));
        clock.set_wall_clock(from_unix_ms(wall_ms));
        let set = Blacklist::new(capacity, clock.clone());
        clock.advance(millis(clocks.monotonic_ms - monotonic_ms));
        clock.set_wall_clock(from_unix_ms(clocks.wall_ms));
        for (key, until_ms) in &self.entries {
            set.entries.insert(*key, *until_ms);
        }
        set.incomplete_until_ms
            .store(self.incomplete_until_ms, Ordering::Relaxed);
        set.doubts.store(self.doubts, Ordering::Relaxed);
        *set.freshness.lock().unwrap() = match self.freshness {
            TakenFreshness::Never => Freshness::Never,
            TakenFreshness::Always => Freshness::Always,
            TakenFreshness::AsOf(moment) => Freshness::AsOf(moment_of(moment)),
        };
        Arc::new(set)
    }

    pub(super) fn take_down(set: &Blacklist) -> Self {
        let entries = set.entries.all().into_iter().collect();
        let freshness = match *set.freshness.lock().unwrap() {
            Freshness::Never => TakenFreshness::Never,
            Freshness::Always => TakenFreshness::Always,
            Freshness::AsOf(moment) => TakenFreshness::AsOf((moment.monotonic, moment.wall_ms)),
        };
        Self {
            entries,
            incomplete_until_ms: set.incomplete_until_ms.load(Ordering::Relaxed),
            freshness,
            doubts: set.doubts.load(Ordering::Relaxed),
        }
    }

    pub(super) fn latest_end_ms(&self) -> i64 {
        self.entries.values().copied().max().unwrap_or(0)
    }

    pub(super) fn doubts(&self) -> u64 {
        self.doubts
    }

    /// A mistake's way of changing what is in the set.
    pub(super) fn entries_mut(&mut self) -> &mut BTreeMap<u128, i64> {
        &mut self.entries
    }

    pub(super) fn pass_over_what_found_no_room(&mut self) {
        self.incomplete_until_ms = i64::MIN;
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

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}
