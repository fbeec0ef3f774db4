//! Ending sessions, so that what was committed is known here whatever becomes of the caller.

use std::sync::Arc;

use super::LocalBackend;
use crate::{
    blacklist::Unsettled,
    error::{BackendError, SessionError},
    ids::SessionHandle,
    store::{RevokedSession, SessionScope, StoreError},
    telemetry,
};

impl LocalBackend {
    /// Ends what is in a scope, in several transactions where it is large.
    ///
    /// # Errors
    ///
    /// [`BackendError::RevokedInPart`] when one of them failed and those before it ended something.
    pub(super) async fn revoke_in_parts(
        &self,
        scope: SessionScope,
    ) -> Result<Vec<SessionHandle>, SessionError> {
        let mut ended = Vec::new();
        match self.revoke_into(&mut ended, scope).await {
            Err(SessionError::Unavailable(cause)) if !ended.is_empty() => {
                let cause = Box::new(cause);
                let partly = BackendError::RevokedInPart { ended, cause };
                Err(SessionError::Unavailable(partly))
            }
            outcome => outcome.map(|()| ended),
        }
    }

    async fn revoke_into(
        &self,
        ended: &mut Vec<SessionHandle>,
        scope: SessionScope,
    ) -> Result<(), SessionError> {
        match &scope {
            SessionScope::Handles(handles) if handles.len() > SessionScope::MAX_HANDLES => {
                for part in handles.chunks(SessionScope::MAX_HANDLES) {
                    let part = SessionScope::from(part);
                    ended.extend(self.revoke_and_tell(part, |_| {}).await?);
                }
                return Ok(());
            }
            SessionScope::Tenant(_) => self.revoke_most_into(ended, &scope).await?,
            SessionScope::Handles(_) | SessionScope::User { .. } => {}
        }
        ended.extend(self.revoke_and_tell(scope, |_| {}).await?);
        Ok(())
    }

    /// Ends most of what is in a large scope, so that the one statement that ends all of it need not
    /// hold the database for longer than anybody waits.
    async fn revoke_most_into(
        &self,
        ended: &mut Vec<SessionHandle>,
        scope: &SessionScope,
    ) -> Result<(), SessionError> {
        let mut last = None;
        loop {
            let (scope, now_ms) = (scope.clone(), self.now_ms());
            let page = self.calls.call("list", move |store| async move {
                store.list(&scope, now_ms, last.as_ref(), BATCH).await
            });
            let page = match page.await {
                // The statement that ends all of it does not read the rows.
                Err(StoreError::Corrupt(_)) => return Ok(()),
                page => page?,
            };
            let handles: Vec<SessionHandle> = page.iter().map(|row| row.handle.clone()).collect();
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(());
            }
            ended.extend(
                self.revoke_and_tell(SessionScope::Handles(handles), |_| {})
                    .await?,
            );
        }
    }

    /// Ends sessions and tells what became of it, in the store's task, which runs to its end
    /// whatever becomes of the caller: what was committed is known here at once. What is not known
    /// to be committed is in doubt, whether the task lost its answer or the caller did not wait.
    pub(super) async fn revoke_and_tell(
        &self,
        scope: SessionScope,
        tell: impl FnOnce(&[RevokedSession]) + Send + 'static,
    ) -> Result<Vec<SessionHandle>, SessionError> {
        let retention = self.config.retention_at(self.clock.now());
        let blacklist = Arc::clone(&self.blacklist);
        let waiting = Unsettled::new(&self.blacklist);
        let revoked = self
            .calls
            .call("revoke", move |store| async move {
                let unsettled = Unsettled::new(&blacklist);
                let revoked = store.revoke(&scope, retention).await?;
                blacklist.extend(&revoked);
                unsettled.settle();
                telemetry::revoked(&revoked);
                tell(&revoked);
                Ok(revoked)
            })
            .await?;
        waiting.settle();
        Ok(revoked.into_iter().map(|session| session.handle).collect())
    }
}

/// How many sessions of a large scope are ended in one transaction.
const BATCH: u32 = 1_000;
