//! Revocations that may have been committed without their answer having arrived.

use std::sync::Arc;

use super::Blacklist;

/// A revocation that is under way. Unless it is settled, the store has to be asked what became of
/// it: the caller was told "not confirmed", and when it tries again, the store rightly answers that
/// there is nothing left to revoke (security G10).
#[must_use = "dropping it means that the outcome is unknown"]
pub(crate) struct Unsettled(Option<Arc<Blacklist>>);

impl Unsettled {
    pub(crate) fn new(blacklist: &Arc<Blacklist>) -> Self {
        Self(Some(Arc::clone(blacklist)))
    }

    /// The set has what was revoked.
    pub(crate) fn settle(mut self) {
        self.0 = None;
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        if let Some(blacklist) = self.0.take() {
            blacklist.doubt();
        }
    }
}
