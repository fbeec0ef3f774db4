//! Looking up, changing and ending sessions by handle, user and tenant; keys and documents.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use tracing::Instrument as _;

use crate::{
    clock::unix_ms,
    config::AccessKeyKind,
    error::SessionError,
    ids::{KeyId, SessionHandle, TenantId, UserId},
    information::SessionInformation,
    keys::Jwks,
    sessions::{PayloadCarrier, Sessions},
    store::{Retention, RevokedSession, SessionScope},
};

impl Sessions {
    /// Ends a session. Durable when it returns; `true` if this call ended it. Ending one that does
    /// not exist is no error (RFC 7009 §2.2).
    ///
    /// Routes that check the database refuse it from now on, on every node. Routes that check the
    /// blacklist refuse it within the configured staleness of its end, and on the node that ended it
    /// from now on.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): not confirmed; try again.
    pub async fn revoke(&self, handle: &SessionHandle) -> Result<bool, SessionError> {
        let ended = self.revoke_scope(SessionScope::from(handle)).await?;
        Ok(!ended.is_empty())
    }

    /// This node refuses a session from now on that another one has ended, of which it is yet to
    /// hear. For one whose token was verified: of others there is no end.
    pub(crate) fn note_ended(&self, handle: &SessionHandle, token_expires_at: SystemTime) {
        let retention = self.config().retention_at(self.clock().now());
        let known_until_ms = unix_ms(token_expires_at);
        let ended = RevokedSession::new(handle.clone(), known_until_ms, retention);
        self.blacklist().extend(&[ended]);
    }

    /// Ends several sessions, and returns those that this call ended. Each
    /// [`MAX_HANDLES`](SessionScope::MAX_HANDLES) of them are one transaction.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): not confirmed for all of them; try again. Those
    /// that were ended before are in [`RevokedInPart`](crate::BackendError::RevokedInPart), as
    /// another call does not return them.
    pub async fn revoke_many(
        &self,
        handles: &[SessionHandle],
    ) -> Result<Vec<SessionHandle>, SessionError> {
        self.revoke_scope(SessionScope::from(handles)).await
    }

    /// Ends all sessions of a user, in one tenant or in all (`None`), and returns those that this
    /// call ended. No session whose creation was acknowledged before survives it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): not confirmed; try again.
    pub async fn revoke_all_of_user(
        &self,
        user: &UserId,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<SessionHandle>, SessionError> {
        self.revoke_scope(SessionScope::User {
            user: user.clone(),
            tenant: tenant.cloned(),
            except: None,
        })
        .await
    }

    /// Ends all sessions of a tenant, and returns those that this call ended. No session whose
    /// creation was acknowledged before survives it.
    ///
    /// There may be many, so they are ended a thousand at a time, oldest first.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): not confirmed for all of them; try again. Those
    /// that were ended before are in [`RevokedInPart`](crate::BackendError::RevokedInPart), as
    /// another call does not return them.
    pub async fn revoke_all_of_tenant(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<SessionHandle>, SessionError> {
        self.revoke_scope(SessionScope::from(tenant)).await
    }

    pub(crate) async fn revoke_scope(
        &self,
        scope: SessionScope,
    ) -> Result<Vec<SessionHandle>, SessionError> {
        let span = tracing::debug_span!("revoke_sessions");
        self.backend().revoke(scope).instrument(span).await
    }

    /// How long a revocation that is made now has to be remembered: for one that is made past the
    /// service, in a transaction of the application's own.
    pub fn retention(&self) -> Retention {
        self.config().retention_at(self.clock().now())
    }

    /// A session as the database knows it; `None` when it has ended.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn information(
        &self,
        handle: &SessionHandle,
    ) -> Result<Option<SessionInformation>, SessionError> {
        self.backend().information(handle).await
    }

    /// The live sessions of a user, in one tenant or in all (`None`), oldest first: at most `limit`
    /// of them, after the last one of an earlier page.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn sessions_of_user(
        &self,
        user: &UserId,
        tenant: Option<&TenantId>,
        after: Option<&SessionInformation>,
        limit: u32,
    ) -> Result<Vec<SessionInformation>, SessionError> {
        let scope = SessionScope::User {
            user: user.clone(),
            tenant: tenant.cloned(),
            except: None,
        };
        self.backend().list(scope, after, limit).await
    }

    /// Overlays `update` on a session's claims; `null` removes. `false` when it has ended.
    ///
    /// The client has the new claims with its next refresh, or with its next request to a route
    /// that checks the database.
    ///
    /// # Errors
    ///
    /// * [`InvalidPayload`](SessionError::InvalidPayload): a protected name, or too large for a
    ///   token or for a cookie, unless sessions travel in headers only.
    /// * [`Unavailable`](SessionError::Unavailable): outcome unknown.
    pub async fn merge_payload(
        &self,
        handle: &SessionHandle,
        update: Map<String, Value>,
    ) -> Result<bool, SessionError> {
        Ok(self
            .merge(handle, &update, PayloadCarrier::NextRefresh)
            .await?
            .is_some())
    }

    /// Replaces the application's own data about a session. `false` when it has ended.
    ///
    /// # Errors
    ///
    /// [`DataTooLong`](SessionError::DataTooLong), [`Unavailable`](SessionError::Unavailable).
    pub async fn update_data(
        &self,
        handle: &SessionHandle,
        data: &Map<String, Value>,
    ) -> Result<bool, SessionError> {
        self.backend().update_data(handle, data).await
    }

    /// A token for another service, which verifies it with our JWKS: `payload` with `iat`, `exp`
    /// and, unless it has one, `iss`. Never accepted as an access token here (wire §10.11).
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): there is no key to sign with.
    pub async fn create_jwt(
        &self,
        payload: Map<String, Value>,
        validity: Duration,
        kind: AccessKeyKind,
    ) -> Result<String, SessionError> {
        self.backend().create_jwt(payload, validity, kind).await
    }

    /// The public keys that verify what is signed here (RFC 7517).
    pub fn jwks(&self) -> Jwks {
        self.backend().keys().jwks(self.clock().now())
    }

    /// The OpenID discovery document (wire §5).
    pub fn openid_configuration(&self) -> Value {
        let issuer = self.config().app().issuer();
        json!({
            "issuer": issuer,
            "jwks_uri": self.config().app().jwks_uri(),
            "authorization_endpoint": format!("{issuer}/oauth/auth"),
            "token_endpoint": format!("{issuer}/oauth/token"),
            "userinfo_endpoint": format!("{issuer}/oauth/userinfo"),
            "revocation_endpoint": format!("{issuer}/oauth/revoke"),
            "token_introspection_endpoint": format!("{issuer}/oauth/introspect"),
            "end_session_endpoint": format!("{issuer}/oauth/end_session"),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "id_token token"],
        })
    }

    /// Makes a new dynamic signing key now. It is published at once and signs once every node has
    /// had time to read it; tokens of the old one stay valid until they expire.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn rotate_signing_key(&self) -> Result<(), SessionError> {
        self.backend().rotate_signing_key().await
    }

    /// Makes a new key for refresh tokens. Nobody is logged out: a refresh token names the key it
    /// was made under, and its successor is made under the new one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn rotate_refresh_key(&self) -> Result<(), SessionError> {
        self.backend().rotate_refresh_key().await
    }

    /// Removes a key, for one that may have leaked: tokens made under it are refused here at once
    /// and elsewhere when the keys are read again, within half a minute. `false` when there is no
    /// such key.
    ///
    /// No session whose current refresh token was made under a removed
    /// refresh key can be refreshed any more: it ends with its access token.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn remove_key(&self, id: &KeyId) -> Result<bool, SessionError> {
        self.backend().remove_key(id).await
    }
}
