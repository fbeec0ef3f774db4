//! Waiting for a session to end.

use crate::{blacklist::Listed, ids::SessionHandle, sessions::Sessions, telemetry::HandleTag};

impl Sessions {
    /// Completes when the session has ended, or when nobody can say whether it has.
    pub(crate) async fn ended(&self, handle: &SessionHandle) {
        let waiting = self.blacklist().wait_for(handle);
        let max_staleness = self.config().max_staleness();
        // A revocation wakes; the rest is looked at now and then: whether the blacklist still
        // hears of revocations, and whether the session has simply expired.
        let lifetime_ms = self.config().access_token_lifetime().as_millis();
        let looks_until_database = (lifetime_ms / max_staleness.as_millis().max(1)).max(1);
        for look in 1_u128.. {
            tokio::select! {
                () = waiting.revoked() => return,
                () = tokio::time::sleep(max_staleness) => {}
            }
            let is_live = match self.blacklist().look_up(handle, max_staleness) {
                Listed::Revoked => false,
                Listed::Absent if look % looks_until_database != 0 => true,
                // It has not been revoked; whether it has expired can be asked again.
                Listed::Absent => self.is_live(handle).await.unwrap_or(true),
                Listed::Unknown(_) => self.is_live(handle).await.unwrap_or(false),
            };
            if !is_live {
                return;
            }
        }
    }

    /// Whether the database has the session; `None` when it does not say.
    async fn is_live(&self, handle: &SessionHandle) -> Option<bool> {
        self.information(handle)
            .await
            .map(|session| session.is_some())
            .inspect_err(|error| {
                let session = HandleTag::of(handle);
                tracing::error!(%session, %error, "the database does not say whether a session is live");
            })
            .ok()
    }
}
