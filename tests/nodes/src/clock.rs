//! A clock that runs faster than the machine's, for what takes minutes and is to be seen in seconds.

use std::time::{Duration, SystemTime};

use session_axum::session_core::clock::{Clock, SystemClock};

/// So many times as fast as the machine's since a moment in the past: nodes that were told the same
/// have the same time. What waits, such as the task that reads the keys, waits as long as ever.
#[derive(Debug)]
pub(crate) struct FastClock {
    pub(crate) since: SystemTime,
    pub(crate) speed: u32,
}

impl Clock for FastClock {
    fn now(&self) -> SystemTime {
        let since = SystemClock.now().duration_since(self.since);
        self.since + since.unwrap_or_default().saturating_mul(self.speed)
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic().saturating_mul(self.speed)
    }
}
