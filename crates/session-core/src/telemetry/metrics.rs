//! Counters, gauges and histograms through the `metrics` facade; nothing without the feature.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `session_verifications_total` | counter | `check`, `outcome` |
//! | `session_refreshes_total` | counter | `outcome` |
//! | `session_revocations_total` | counter | – |
//! | `session_confirmation_seconds` | histogram | `outcome` |
//! | `session_store_call_seconds` | histogram | `operation`, `outcome` |
//! | `session_blacklist_entries` | gauge | – |
//! | `session_blacklist_age_seconds` | gauge | – |
//! | `session_blacklist_passed_over_total` | counter | `reason` |
//! | `session_signing_keys_created_total` | counter | `purpose` |
//! | `session_signatures_total` | counter | `operation` |

use std::time::Duration;

use super::RefreshOutcome;
use crate::blacklist::Unreliable;

#[cfg(feature = "metrics")]
mod recorder {
    pub(super) use metrics::{counter, gauge, histogram};
}

/// A session has been verified or refused.
pub(crate) fn verified(check: &'static str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    recorder::counter!("session_verifications_total", "check" => check, "outcome" => outcome)
        .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (check, outcome);
}

/// A refresh has ended.
pub(crate) fn refreshed(outcome: RefreshOutcome) {
    #[cfg(feature = "metrics")]
    recorder::counter!("session_refreshes_total", "outcome" => outcome.as_str()).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = outcome;
}

/// Sessions have been revoked.
pub(crate) fn revoked(count: usize) {
    #[cfg(feature = "metrics")]
    recorder::counter!("session_revocations_total").increment(count as u64);
    #[cfg(not(feature = "metrics"))]
    let _ = count;
}

/// Somebody has waited for all nodes.
pub(crate) fn confirmed(outcome: &'static str, took: Duration) {
    #[cfg(feature = "metrics")]
    recorder::histogram!("session_confirmation_seconds", "outcome" => outcome)
        .record(took.as_secs_f64());
    #[cfg(not(feature = "metrics"))]
    let _ = (outcome, took);
}

/// A store call has ended.
pub(crate) fn store_call(operation: &'static str, outcome: &'static str, took: Duration) {
    #[cfg(feature = "metrics")]
    recorder::histogram!(
        "session_store_call_seconds",
        "operation" => operation,
        "outcome" => outcome
    )
    .record(took.as_secs_f64());
    #[cfg(not(feature = "metrics"))]
    let _ = (operation, outcome, took);
}

/// The set of revoked sessions, as it is now.
pub(crate) fn blacklist(entries: usize, age: Option<Duration>) {
    #[cfg(feature = "metrics")]
    {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        recorder::gauge!("session_blacklist_entries").set(entries as f64);
        recorder::gauge!("session_blacklist_age_seconds")
            .set(age.map_or(f64::INFINITY, |age| age.as_secs_f64()));
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (entries, age);
}

/// The set of revoked sessions could not say, and the database was asked.
pub(crate) fn blacklist_passed_over(reason: Unreliable) {
    #[cfg(feature = "metrics")]
    recorder::counter!("session_blacklist_passed_over_total", "reason" => reason.as_str())
        .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = reason;
}

/// An RSA operation is done: nearly all that a verification or a token costs in processor time.
pub(crate) fn signature(operation: &'static str) {
    #[cfg(feature = "metrics")]
    recorder::counter!("session_signatures_total", "operation" => operation).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = operation;
}

/// A key has been made.
pub(crate) fn key_made(purpose: &'static str) {
    #[cfg(feature = "metrics")]
    recorder::counter!("session_signing_keys_created_total", "purpose" => purpose).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = purpose;
}
