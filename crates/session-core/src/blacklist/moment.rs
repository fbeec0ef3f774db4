//! `Moment`: when something was asked or heard, by clocks that may stand still, jump or be set.

use std::time::Duration;

use crate::clock::{Clock, unix_ms};

/// A moment on both clocks, and its place among all moments of this process: two clocks that stand
/// still leave no doubt which of two moments was taken first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(super) monotonic: Duration,
    pub(super) wall_ms: i64,
    pub(super) order: u64,
}

impl Moment {
    /// The present, as the moment of this number.
    pub(super) fn now(clock: &dyn Clock, order: u64) -> Self {
        Self {
            monotonic: clock.monotonic(),
            wall_ms: unix_ms(clock.now()),
            order,
        }
    }

    pub(super) fn is_before(self, other: Self) -> bool {
        self.order < other.order
    }

    /// How much later it is than `earlier`, by the clock that says more: a machine that was suspended
    /// stops the monotonic one, and an operator may set the other back.
    pub(super) fn since(self, earlier: Self) -> Duration {
        let by_monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        let by_wall = self.wall_ms.saturating_sub(earlier.wall_ms);
        by_monotonic.max(Duration::from_millis(u64::try_from(by_wall).unwrap_or(0)))
    }
}
