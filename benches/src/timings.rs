//! How long something took, many times.

use std::time::Duration;

use session_core::clock::{Clock, SystemClock};

/// The times of one operation.
#[derive(Debug, Default)]
pub struct Timings(Vec<Duration>);

impl Timings {
    /// Does it and notes how long it took.
    pub async fn of<T>(&mut self, operation: impl Future<Output = T>) -> T {
        let started = SystemClock.monotonic();
        let outcome = operation.await;
        self.0.push(SystemClock.monotonic().saturating_sub(started));
        outcome
    }

    /// As [`of`](Self::of), for what does not wait.
    pub fn of_now<T>(&mut self, operation: impl FnOnce() -> T) -> T {
        let started = SystemClock.monotonic();
        let outcome = operation();
        self.0.push(SystemClock.monotonic().saturating_sub(started));
        outcome
    }

    /// All of them together.
    pub fn sum(&self) -> Duration {
        self.0.iter().sum()
    }

    /// The time that this share of them did not exceed, in thousandths.
    pub fn within(&self, thousandths: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * thousandths / 1_000).min(sorted.len() - 1);
        *sorted.get(index).unwrap()
    }

    /// Median and 99th percentile, in milliseconds.
    pub fn in_milliseconds(&self) -> String {
        let [median, most] = [500, 990].map(|share| self.within(share).as_secs_f64() * 1e3);
        format!("{median:.2} / {most:.2}")
    }
}
