//! Waiting for a session to end.

use crate::{blacklist::Listed, ids::SessionHandle, sessions::Sessions, telemetry::HandleTag};

impl Sessions {
    /// Completes when the session has ended, or when nobody can say whether it has.
    pub(crate) async fn ended(&self, handle: &SessionHandle) {
        let waiting = self.blacklist().wait_for(handle);
        let max_staleness = self.config().max_staleness();
        // A revocation wakes; the rest is looked at now and then: whether the blacklist still
        // hears of revocations, and whether the session has simply expired.
        let looks_until_database = (self.config().access_token_lifetime().as_secs()
            / max_staleness.as_secs().max(1))
        .max(1);
        for look in 1_u64.. {
            tokio::select! {
                () = waiting.revoked() => return,
                () = tokio::time::sleep(max_staleness) => {}
            }
            let ask_database = match self.blacklist().look_up(handle, max_staleness) {
                Listed::Revoked => return,
                Listed::Absent => look % looks_until_database == 0,
                Listed::Unknown(_) => true,
            };
            if ask_database && !self.is_live(handle).await {
                return;
            }
        }
    }

    /// Whether the database has the session; `false` when it does not say.
    async fn is_live(&self, handle: &SessionHandle) -> bool {
        match self.information(handle).await {
            Ok(session) => session.is_some(),
            Err(error) => {
                let session = HandleTag::of(handle);
                tracing::error!(%session, %error, "nobody can say whether a session is live");
                false
            }
        }
    }
}
