//! A clock that runs, and that can be set forward.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use session_core::clock::{Clock, SystemClock};

/// The machine's clocks, so many seconds ahead.
#[derive(Debug, Default)]
pub struct ForwardClock(AtomicU64);

impl ForwardClock {
    /// Sets it forward, once more.
    pub fn set_forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn ahead(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

impl Clock for ForwardClock {
    fn now(&self) -> SystemTime {
        SystemClock.now() + self.ahead()
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic() + self.ahead()
    }
}

/// The present in Unix milliseconds.
pub fn now_ms() -> i64 {
    let now = SystemClock.now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_millis()).unwrap()
}
