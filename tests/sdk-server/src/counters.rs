//! What the suite counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that the suite reads and sets back.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn zero(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    /// As the suite reads it.
    pub(crate) fn text(&self) -> String {
        self.0.load(Ordering::SeqCst).to_string()
    }
}

/// The suite's three numbers.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Refreshes that were asked for.
    pub(crate) refreshes_attempted: Counter,
    /// Refreshes that were granted.
    pub(crate) refreshes: Counter,
    /// Sessions that were found at `/`.
    pub(crate) sessions_found: Counter,
}

impl Counters {
    pub(crate) fn zero(&self) {
        self.refreshes_attempted.zero();
        self.refreshes.zero();
        self.sessions_found.zero();
    }
}
