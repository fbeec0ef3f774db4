//! `LocalBackend`: sessions owned by this process, with its keys and a `SessionStore`.

mod refreshing;
mod revoking;

use std::{sync::Arc, time::Duration};

use arc_swap::Guard;
use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{Delivery, Issued, Merged, SessionBackend, issue, service_jwt};
use crate::{
    blacklist::Blacklist,
    clock::{Clock, duration_ms, unix_ms},
    config::{AccessKeyKind, SessionConfig},
    error::{BackendError, SessionError},
    ids::{KeyId, SessionHandle, TenantId},
    information::{NewSession, SessionInformation},
    json,
    keys::{KeyError, KeyRing, KeyService, RefreshKey, SigningKey},
    payload::{InvalidPayload, Payload},
    random,
    store::{Created, Rotations, SessionRecord, SessionScope, Updated},
    store_calls::StoreCalls,
    telemetry::Observers,
    token::{
        RefreshToken, VerifiedAccessToken,
        access::AccessClaims,
        refresh::{self as refresh_token, RefreshSecret, RefreshTokenParts},
    },
    verify::PresentedAntiCsrf,
};

/// Owns sessions in this process.
#[derive(Debug)]
pub(crate) struct LocalBackend {
    pub(crate) config: Arc<SessionConfig>,
    pub(crate) calls: StoreCalls,
    pub(crate) keys: Arc<KeyService>,
    pub(crate) blacklist: Arc<Blacklist>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observers: Observers,
}

#[async_trait]
impl SessionBackend for LocalBackend {
    fn keys(&self) -> Guard<Arc<KeyRing>> {
        self.keys.ring_at_present()
    }

    async fn reload_keys(&self) -> Result<(), KeyError> {
        Ok(self.keys.reload_if_cooled_down().await?)
    }

    async fn create(
        &self,
        new: &NewSession,
        payload: Payload,
        delivery: Delivery,
    ) -> Result<Issued, SessionError> {
        let ring = self.current_keys().await?;
        let data = session_data(&new.data)?;
        for _ in 0..MAX_HANDLE_ATTEMPTS {
            let now_ms = self.now_ms();
            let refresh_key = self.minting_key(&ring)?;
            let parts = RefreshTokenParts {
                handle: new_handle(&new.tenant)?,
                tenant: new.tenant.clone(),
                generation: 0,
                key: refresh_key.id().clone(),
                anti_csrf: delivery.anti_csrf,
                secret: RefreshSecret::random()?,
            };
            let absolute_expires_at_ms = self
                .config
                .absolute_lifetime()
                .map(|lifetime| now_ms.saturating_add(duration_ms(lifetime)));
            let expires_at_ms =
                issue::session_expiry_ms(&self.config, now_ms, absolute_expires_at_ms);
            let access_expires_at_s =
                issue::access_expiry_s(&self.config, now_ms, expires_at_ms, &parts.secret);
            let row = SessionRecord {
                handle: parts.handle.clone(),
                tenant: new.tenant.clone(),
                user: new.user.clone(),
                generation: 0,
                secret_hash: parts.secret.hash(),
                refresh_key: parts.key.clone(),
                rotations: Rotations::default(),
                payload: payload.to_text(),
                payload_version: 0,
                data: data.clone(),
                created_at_ms: now_ms,
                refreshed_at_ms: now_ms,
                expires_at_ms,
                absolute_expires_at_ms,
                access_expires_at_ms: access_expires_at_s.saturating_mul(1_000),
            };
            let issued = self.issue(&ring, &row, &parts, &payload, now_ms, delivery)?;
            let created =
                self.calls.call(
                    "create",
                    move |store| async move { store.create(&row).await },
                );
            match created.await? {
                Created::Created => return Ok(issued),
                // 128 bits from the operating system do not repeat; an injected or broken
                // generator might, and then nobody may get somebody else's handle (security G15).
                Created::HandleTaken => {}
            }
        }
        Err(SessionError::Unavailable(BackendError::Contended {
            attempts: MAX_HANDLE_ATTEMPTS,
        }))
    }

    async fn refresh(
        &self,
        token: &RefreshToken,
        anti_csrf: PresentedAntiCsrf<'_>,
        delivery: Delivery,
    ) -> Result<Issued, SessionError> {
        self.exchange(token, anti_csrf, delivery).await
    }

    async fn merge_payload(
        &self,
        handle: &SessionHandle,
        update: &Map<String, Value>,
        regenerate: Option<(&VerifiedAccessToken, Delivery)>,
    ) -> Result<Option<Merged>, SessionError> {
        for _ in 0..MAX_MERGE_ATTEMPTS {
            let Some(row) = self.get(handle).await? else {
                return Ok(None);
            };
            let payload = Payload::stored(&row.payload)?.merged(update.clone())?;
            let access = match regenerate {
                Some((current, _)) => self.reissue(current, &payload)?,
                None => None,
            };
            let delivery = regenerate.map_or(Delivery::unknown(&self.config), |(_, by)| by);
            match &access {
                Some(access) => issue::ensure_deliverable(&self.config, &access.tokens, delivery)?,
                None => self.ensure_next_token_is_deliverable(&row, &payload, delivery)?,
            }
            let text = payload.to_text();
            let (handle, version) = (handle.clone(), row.payload_version);
            let updated = self.calls.call("update_payload", move |store| async move {
                store.update_payload(&handle, version, &text).await
            });
            match updated.await? {
                Updated::Updated => return Ok(Some(Merged { payload, access })),
                Updated::Gone => return Ok(None),
                Updated::Conflict => tokio::task::yield_now().await,
            }
        }
        Err(SessionError::Unavailable(BackendError::Contended {
            attempts: MAX_MERGE_ATTEMPTS,
        }))
    }

    fn reissue(
        &self,
        current: &VerifiedAccessToken,
        payload: &Payload,
    ) -> Result<Option<Issued>, SessionError> {
        let now_ms = self.now_ms();
        if current.expires_at_s().saturating_mul(1_000) <= now_ms {
            return Ok(None);
        }
        let ring = self.keys.ring();
        let content = AccessClaims {
            user: current.user_id(),
            tenant: current.tenant(),
            handle: current.handle(),
            issued_at_s: now_ms.div_euclid(1_000),
            expires_at_s: current.expires_at_s(),
            refresh_token_hash: current.refresh_token_hash(),
            anti_csrf_token: current.anti_csrf_token(),
            issuer: self.config.app().issuer(),
        };
        issue::access_token(self.signing_key(&ring)?, &content, payload, None).map(Some)
    }

    async fn live_payload(&self, handle: &SessionHandle) -> Result<Option<String>, SessionError> {
        Ok(self.get(handle).await?.map(|row| row.payload))
    }

    async fn information(
        &self,
        handle: &SessionHandle,
    ) -> Result<Option<SessionInformation>, SessionError> {
        let row = self.get(handle).await?;
        row.map(SessionInformation::from_record)
            .transpose()
            .map_err(SessionError::Unavailable)
    }

    async fn list(
        &self,
        scope: SessionScope,
        after: Option<&SessionInformation>,
        limit: u32,
    ) -> Result<Vec<SessionInformation>, SessionError> {
        let now_ms = self.now_ms();
        let after = after.map(|session| session.record().clone());
        let rows = self
            .calls
            .call("list", move |store| async move {
                store.list(&scope, now_ms, after.as_ref(), limit).await
            })
            .await?;
        // One row that cannot be read must not hide the others from their user.
        let readable = rows.into_iter().filter_map(|row| {
            SessionInformation::from_record(row)
                .inspect_err(|error| tracing::error!(%error, "a session cannot be read"))
                .ok()
        });
        Ok(readable.collect())
    }

    async fn update_data(
        &self,
        handle: &SessionHandle,
        data: &Map<String, Value>,
    ) -> Result<bool, SessionError> {
        if self.get(handle).await?.is_none() {
            return Ok(false);
        }
        let (handle, data) = (handle.clone(), session_data(data)?);
        let updated = self
            .calls
            .call("update_data", move |store| async move {
                store.update_data(&handle, &data).await
            })
            .await?;
        Ok(updated == Updated::Updated)
    }

    async fn revoke(&self, scope: SessionScope) -> Result<Vec<SessionHandle>, SessionError> {
        self.revoke_in_parts(scope).await
    }

    async fn create_jwt(
        &self,
        payload: Map<String, Value>,
        validity: Duration,
        kind: AccessKeyKind,
    ) -> Result<String, SessionError> {
        let key = self.keys.signing_key(kind.purpose()).await?;
        let issued_at_s = self.now_ms().div_euclid(1_000);
        let validity_s = i64::try_from(validity.as_secs()).unwrap_or(i64::MAX);
        let expires_at_s = issued_at_s.saturating_add(validity_s);
        service_jwt::sign(
            &key,
            payload,
            self.config.app().issuer(),
            issued_at_s,
            expires_at_s,
        )
    }

    async fn rotate_signing_key(&self) -> Result<(), SessionError> {
        Ok(self.keys.rotate_signing_key().await?)
    }

    async fn rotate_refresh_key(&self) -> Result<(), SessionError> {
        Ok(self.keys.rotate_refresh_key().await?)
    }

    async fn remove_key(&self, id: &KeyId) -> Result<bool, SessionError> {
        Ok(self.keys.remove_key(id).await? == Updated::Updated)
    }

    async fn ping(&self) -> Result<Option<Duration>, SessionError> {
        let store_ms = self
            .calls
            .call("clock", |store| async move { store.clock_ms().await })
            .await?;
        Ok(store_ms.map(|store_ms| Duration::from_millis(store_ms.abs_diff(self.now_ms()))))
    }
}

impl LocalBackend {
    fn now_ms(&self) -> i64 {
        unix_ms(self.clock.now())
    }

    /// The keys, with one to sign with: made here if the period's is not there yet.
    async fn current_keys(&self) -> Result<Arc<KeyRing>, SessionError> {
        self.keys.ensure_usable().await?;
        Ok(self.keys.ring())
    }

    fn signing_key<'a>(&self, ring: &'a KeyRing) -> Result<&'a SigningKey, SessionError> {
        Ok(ring
            .signing_key(self.config.signing_key_kind().purpose(), self.clock.now())
            .ok_or(KeyError::NoUsableKey)?)
    }

    fn minting_key<'a>(&self, ring: &'a KeyRing) -> Result<&'a Arc<RefreshKey>, SessionError> {
        Ok(ring
            .refresh_key_for_minting(self.clock.now())
            .ok_or(KeyError::NoUsableKey)?)
    }

    /// The row of a session that has not expired.
    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, SessionError> {
        let handle = handle.clone();
        let row = self
            .calls
            .call("get", move |store| async move { store.get(&handle).await })
            .await?;
        Ok(row.filter(|row| row.expires_at_ms > self.now_ms()))
    }

    /// The tokens for a row: signed and judged deliverable before anything is written.
    fn issue(
        &self,
        ring: &KeyRing,
        row: &SessionRecord,
        parts: &RefreshTokenParts,
        payload: &Payload,
        now_ms: i64,
        delivery: Delivery,
    ) -> Result<Issued, SessionError> {
        let key = ring.refresh_key(&parts.key).ok_or(KeyError::NoUsableKey)?;
        let refresh_token = refresh_token::seal(parts, key);
        let anti_csrf_token = delivery.anti_csrf.then(|| anti_csrf_token(parts, key));
        let content = AccessClaims {
            user: &row.user,
            tenant: &row.tenant,
            handle: &row.handle,
            issued_at_s: now_ms.div_euclid(1_000),
            expires_at_s: row.access_expires_at_ms.div_euclid(1_000),
            refresh_token_hash: &refresh_token::token_hash(&refresh_token),
            anti_csrf_token: anti_csrf_token.as_deref(),
            issuer: self.config.app().issuer(),
        };
        let refresh = Some((refresh_token, row.expires_at_ms));
        let issued = issue::access_token(self.signing_key(ring)?, &content, payload, refresh)?;
        issue::ensure_deliverable(&self.config, &issued.tokens, delivery)?;
        Ok(issued)
    }

    /// Judges a payload that no token carries yet by making the token that would carry it.
    fn ensure_next_token_is_deliverable(
        &self,
        row: &SessionRecord,
        payload: &Payload,
        delivery: Delivery,
    ) -> Result<(), SessionError> {
        let ring = self.keys.ring();
        let issued_at_s = self.now_ms().div_euclid(1_000);
        let content = AccessClaims {
            user: &row.user,
            tenant: &row.tenant,
            handle: &row.handle,
            issued_at_s,
            expires_at_s: issued_at_s.saturating_add(1),
            refresh_token_hash: LONGEST_HASH,
            anti_csrf_token: Some(LONGEST_HASH),
            issuer: self.config.app().issuer(),
        };
        let access = issue::access_token(self.signing_key(&ring)?, &content, payload, None)?;
        issue::ensure_deliverable(&self.config, &access.tokens, delivery)
    }
}

fn anti_csrf_token(parts: &RefreshTokenParts, key: &RefreshKey) -> String {
    parts
        .secret
        .anti_csrf_token(key, &parts.handle, parts.generation)
}

/// The application's own data as text, within the same limit as a payload.
fn session_data(data: &Map<String, Value>) -> Result<String, SessionError> {
    let text = json::to_text(data);
    if text.len() > Payload::MAX_BYTES {
        return Err(SessionError::DataTooLong { length: text.len() });
    }
    if !json::is_plain(data, json::MAX_DEPTH) {
        return Err(SessionError::InvalidPayload(InvalidPayload::NotPlain));
    }
    Ok(text)
}

/// 128 random bits in the shape of a UUID, and the tenant unless it is the default one (wire §3).
fn new_handle(tenant: &TenantId) -> Result<SessionHandle, SessionError> {
    let hex = format!("{:032x}", u128::from_be_bytes(random::bytes()?));
    let mut text = String::with_capacity(36 + 1 + tenant.as_str().len());
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    if !tenant.is_default() {
        text.push('_');
        text.push_str(tenant.as_str());
    }
    Ok(SessionHandle::try_from(text)?)
}

/// As long as any hash or anti-CSRF token in an access token.
const LONGEST_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const MAX_HANDLE_ATTEMPTS: u32 = 3;
const MAX_MERGE_ATTEMPTS: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// Wire case 65, K8.
    #[test]
    fn a_handle_has_128_random_bits_and_names_its_tenant() {
        let plain = new_handle(&TenantId::default()).unwrap();
        assert_eq!(plain.as_str().len(), 36);
        let tenant = TenantId::try_from("t1").unwrap();
        assert!(new_handle(&tenant).unwrap().as_str().ends_with("_t1"));
        assert_ne!(new_handle(&tenant).unwrap(), new_handle(&tenant).unwrap());
    }
}
