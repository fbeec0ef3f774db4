//! The time that entries expire by, on a machine whose wall clock somebody may set.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::Moment;
use crate::clock::{Clock, duration_ms, unix_ms};

/// What entries expire by: the wall clock, unless it has run ahead of the monotonic one. Set forward
/// and back again, it would otherwise have made the set forget for good.
pub(super) struct Expiry {
    clock: Arc<dyn Clock>,
    began: Duration,
    /// What the wall clock showed when the set was begun, as far as is known.
    pub(super) began_ms: AtomicI64,
}

impl Expiry {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            began: clock.monotonic(),
            began_ms: AtomicI64::new(unix_ms(clock.now())),
            clock,
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        let now = self.moment();
        now.wall_ms.min(self.by_monotonic_ms(now))
    }

    /// Whether the wall clock was ahead when the set was begun, and has been set back since. What had
    /// expired by it may have been left out and is still needed.
    pub(super) fn was_set_back(&self) -> bool {
        self.was_set_back_at(self.moment())
    }

    /// The same, as of a moment that is now.
    pub(super) fn was_set_back_at(&self, now: Moment) -> bool {
        now.wall_ms.saturating_add(NO_STEP_MS) < self.by_monotonic_ms(now)
    }

    /// Nothing is left out any more that was needed at `moment`.
    pub(super) fn begin_at(&self, moment: Moment) {
        let elapsed = duration_ms(moment.monotonic.saturating_sub(self.began));
        let began_ms = moment.wall_ms.saturating_sub(elapsed);
        self.began_ms.fetch_min(began_ms, Ordering::AcqRel);
    }

    /// Nobody asks which of two moments this was, so it is not numbered.
    pub(super) fn moment(&self) -> Moment {
        Moment::now(&*self.clock, u64::MAX)
    }

    fn by_monotonic_ms(&self, now: Moment) -> i64 {
        let elapsed = now.monotonic.saturating_sub(self.began);
        self.began_ms
            .load(Ordering::Acquire)
            .saturating_add(duration_ms(elapsed))
    }
}

/// The shortest time for which a record outlives the tokens it is about
/// ([`REVOCATION_SKEW_RANGE`](crate::config::defaults::REVOCATION_SKEW_RANGE)): a smaller step, as of
/// a clock that is being adjusted, leaves out nothing that is needed.
const NO_STEP_MS: i64 = 1_000;
