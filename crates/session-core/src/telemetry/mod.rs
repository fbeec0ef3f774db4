//! What operators see: events, counters and observers. Never a token, a hash, a cookie or a
//! payload; handles only as a salted short hash, and no user or handle as a metric's label.

mod metrics;
mod observers;

use std::{fmt, sync::OnceLock, time::Duration};

use aws_lc_rs::hmac;

pub(crate) use metrics::{
    blacklist, blacklist_passed_over, key_made, signature, store_call, verified,
};
pub(crate) use observers::Observers;

use crate::{
    finding::{Finding, Severity},
    ids::SessionHandle,
    observer::ReplayClass,
    receipts::Confirmation,
    store::RevokedSession,
};

/// How a refresh ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshOutcome {
    Rotated,
    AheadOfStore,
    Replay(ReplayClass),
    Unauthorised,
}

impl RefreshOutcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::AheadOfStore => "ahead_of_store",
            Self::Replay(class) => class.as_str(),
            Self::Unauthorised => "unauthorised",
        }
    }
}

/// A refresh has ended.
pub(crate) fn refreshed(outcome: RefreshOutcome) {
    tracing::debug!(outcome = outcome.as_str(), "refresh");
    metrics::refreshed(outcome);
}

/// A refresh has rotated a session whose row was so many generations behind the token.
pub(crate) fn rotated(handle: &SessionHandle, row_was_behind_by: u64) {
    if row_was_behind_by == 0 {
        refreshed(RefreshOutcome::Rotated);
    } else {
        refreshed(RefreshOutcome::AheadOfStore);
        database_went_back(handle, row_was_behind_by);
    }
}

/// Something is wrong with the database. What the database said of itself is text that somebody
/// else chose, and is logged as such (security K2).
pub(crate) fn finding(finding: &Finding) {
    let (severity, text) = (finding.severity(), finding.to_string());
    if severity == Severity::Notice {
        tracing::info!(finding = ?text, "the database can be relied upon as it is");
    } else {
        tracing::warn!(%severity, finding = ?text, "the database is not safe for sessions");
    }
}

/// Sessions have been revoked.
pub(crate) fn revoked(sessions: &[RevokedSession]) {
    metrics::revoked(sessions.len());
    match sessions {
        [] => {}
        [one] => tracing::info!(session = %HandleTag::of(&one.handle), "session revoked"),
        several => tracing::info!(count = several.len(), "sessions revoked"),
    }
}

/// Somebody has waited for all nodes to know of what was revoked.
pub(crate) fn confirmed(confirmation: &Confirmation, took: Duration) {
    metrics::confirmed(confirmation.as_str(), took);
    match confirmation {
        Confirmation::Everywhere => tracing::debug!(?took, "every node knows what was revoked"),
        Confirmation::Missing(nodes) => {
            tracing::warn!(
                ?nodes,
                ?took,
                "these nodes have not confirmed what was revoked"
            );
        }
        Confirmation::Unknown(error) => {
            tracing::warn!(%error, "it is not known which nodes know what was revoked");
        }
    }
}

/// A client holds a newer refresh token than the database knows of.
fn database_went_back(handle: &SessionHandle, generations: u64) {
    static WARNED: OnceLock<()> = OnceLock::new();
    let session = HandleTag::of(handle);
    if WARNED.set(()).is_ok() {
        tracing::warn!(
            %session,
            generations,
            "the database has lost acknowledged rotations (a restored backup, or an asynchronous \
             failover); sessions are moved forward, but revocations may be lost as well"
        );
    } else {
        tracing::debug!(%session, generations, "moved a session forward");
    }
}

/// Stands for a handle in logs: the same within a process, meaningless outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandleTag(u32);

impl HandleTag {
    pub(crate) fn of(handle: &SessionHandle) -> Self {
        static SALT: OnceLock<Option<hmac::Key>> = OnceLock::new();
        let salt = SALT.get_or_init(|| {
            let key = crate::random::bytes::<32>().ok()?;
            Some(hmac::Key::new(hmac::HMAC_SHA256, &key))
        });
        let Some(salt) = salt else {
            // Without randomness a tag could be guessed, so all handles have the same.
            return Self(0);
        };
        let tag = hmac::sign(salt, handle.as_str().as_bytes());
        Self(
            tag.as_ref()
                .first_chunk()
                .map_or(0, |bytes| u32::from_be_bytes(*bytes)),
        )
    }
}

impl fmt::Display for HandleTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}
