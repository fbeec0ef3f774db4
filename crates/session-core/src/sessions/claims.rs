//! Claims of sessions by handle.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    claims::{self, ClaimError, ClaimValidator, FetchFor, SessionClaim},
    error::SessionError,
    ids::{SessionHandle, TenantId, UserId},
    sessions::Sessions,
};

impl Sessions {
    /// The value of a claim of a session; `None` when the session has ended, `Some(None)` when it
    /// has no such claim.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn claim<C: SessionClaim>(
        &self,
        handle: &SessionHandle,
    ) -> Result<Option<Option<C::Value>>, SessionError> {
        let information = self.information(handle).await?;
        Ok(information.map(|session| claims::value::<C>(session.payload().as_map())))
    }

    /// Sets a claim of a session. `false` when it has ended.
    ///
    /// # Errors
    ///
    /// As [`merge_payload`](Self::merge_payload).
    pub async fn set_claim<C: SessionClaim>(
        &self,
        handle: &SessionHandle,
        value: &C::Value,
    ) -> Result<bool, SessionError> {
        let update =
            claims::update::<C>(value, self.clock().now()).map_err(SessionError::ClaimFetch)?;
        self.merge_payload(handle, update).await
    }

    /// Fetches a registered claim for a session and sets it. `false` when the session has ended.
    ///
    /// # Errors
    ///
    /// As [`merge_payload`](Self::merge_payload), and [`ClaimFetch`](SessionError::ClaimFetch).
    pub async fn fetch_and_set_claim<C: SessionClaim>(
        &self,
        handle: &SessionHandle,
    ) -> Result<bool, SessionError> {
        let Some(session) = self.information(handle).await? else {
            return Ok(false);
        };
        let update = self
            .fetch_claim_update::<C>(
                session.user_id(),
                session.tenant_id(),
                session.payload().as_map(),
            )
            .await?;
        match update {
            Some(update) => self.merge_payload(handle, update).await,
            None => Ok(true),
        }
    }

    /// Removes a claim of a session. `false` when it has ended.
    ///
    /// # Errors
    ///
    /// As [`merge_payload`](Self::merge_payload).
    pub async fn remove_claim<C: SessionClaim>(
        &self,
        handle: &SessionHandle,
    ) -> Result<bool, SessionError> {
        self.merge_payload(handle, Map::from_iter([(C::KEY.to_owned(), json!(null))]))
            .await
    }

    /// Validates a session's claims as the database has them, fetching those that the validators
    /// want fetched; `None` when the session has ended, else what is wrong.
    ///
    /// # Errors
    ///
    /// As [`merge_payload`](Self::merge_payload), and [`ClaimFetch`](SessionError::ClaimFetch).
    pub async fn validate_claims(
        &self,
        handle: &SessionHandle,
        validators: &[Arc<dyn ClaimValidator>],
    ) -> Result<Option<Vec<ClaimError>>, SessionError> {
        let Some(session) = self.information(handle).await? else {
            return Ok(None);
        };
        let whose = self.fetch_for(session.user_id(), session.tenant_id());
        let payload = session.payload().as_map();
        let outcome = claims::validate(validators, self.registered_claims(), &whose, payload)
            .await
            .map_err(SessionError::ClaimFetch)?;
        if let Some(update) = outcome.update(payload)
            && !self.merge_payload(handle, update).await?
        {
            return Ok(None);
        }
        Ok(Some(outcome.errors))
    }

    pub(crate) async fn fetch_claim_update<C: SessionClaim>(
        &self,
        user: &UserId,
        tenant: &TenantId,
        payload: &Map<String, Value>,
    ) -> Result<Option<Map<String, Value>>, SessionError> {
        let mut fetched = payload.clone();
        self.registered_claims()
            .fetch(C::KEY, &self.fetch_for(user, tenant), &mut fetched)
            .await
            .map_err(SessionError::ClaimFetch)?;
        let value = fetched.remove(C::KEY);
        Ok(value
            .filter(|value| payload.get(C::KEY) != Some(value))
            .map(|value| Map::from_iter([(C::KEY.to_owned(), value)])))
    }

    pub(crate) fn fetch_for<'a>(&self, user: &'a UserId, tenant: &'a TenantId) -> FetchFor<'a> {
        FetchFor {
            user,
            tenant,
            now: self.clock().now(),
            timeout: self.config().claim_fetch_timeout(),
        }
    }
}
