//! Where the time comes from, so that tests turn a clock instead of sleeping.

use std::{
    fmt::Debug,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A source of time.
///
/// Everything in this workspace that compares, writes or waits for a time asks a `Clock`.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The wall clock: what is written into tokens and rows.
    fn now(&self) -> SystemTime;

    /// Time since a fixed moment in the past, never going back: what ages are measured with.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock")]
    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

/// A clock that stands still until it is turned.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_core::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::default();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.now().duration_since(before).unwrap(), Duration::from_secs(3600));
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<(SystemTime, Duration)>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: SystemTime) -> Self {
        Self(Mutex::new((now, Duration::ZERO)))
    }

    /// Turns both the wall clock and the monotonic one forward.
    pub fn advance(&self, by: Duration) {
        let mut time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        time.0 += by;
        time.1 += by;
    }

    /// Sets the wall clock, forward or back, as an operator or NTP does; the monotonic one stays.
    pub fn set_wall_clock(&self, now: SystemTime) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = now;
    }
}

impl Default for ManualClock {
    /// A clock that shows 2023-11-14 22:13:20 UTC, a moment as good as any.
    fn default() -> Self {
        Self::new(UNIX_EPOCH + Duration::from_secs(1_700_000_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// The Unix time of `time` in milliseconds; times that do not fit are clamped, never a panic
/// (security B8).
pub fn unix_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
        }
    }
}

/// The time at `unix_ms` milliseconds of Unix time; clamped where the platform cannot hold it.
pub fn from_unix_ms(unix_ms: i64) -> SystemTime {
    let distance = Duration::from_millis(unix_ms.unsigned_abs());
    let time = if unix_ms >= 0 {
        UNIX_EPOCH.checked_add(distance)
    } else {
        UNIX_EPOCH.checked_sub(distance)
    };
    time.unwrap_or(UNIX_EPOCH)
}

/// A duration as whole milliseconds, clamped.
pub(crate) fn duration_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B8: a clock before 1970 or far after is no reason to panic.
    #[test]
    fn times_outside_the_usual_range_are_clamped() {
        let before = UNIX_EPOCH - Duration::from_millis(5);
        assert_eq!(unix_ms(before), -5);
        assert_eq!(from_unix_ms(-5), before);
        assert_eq!(
            unix_ms(from_unix_ms(253_402_300_800_000)),
            253_402_300_800_000
        );
        let _clamped = from_unix_ms(i64::MAX);
        let _clamped = from_unix_ms(i64::MIN);
    }
}
