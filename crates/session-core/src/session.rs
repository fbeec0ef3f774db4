//! `Session`: what a handler holds after verification.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, SystemTime},
};

use serde_json::{Map, Value, json};

use crate::{
    claims::{self, SessionClaim},
    clock::from_unix_ms,
    error::{ClientTokens, SessionError},
    http::{Binding, TransferMethod},
    ids::{SessionHandle, TenantId, UserId},
    information::SessionInformation,
    issued::Tokens,
    payload::Payload,
    sessions::{PayloadCarrier, Sessions},
    store::SessionScope,
    telemetry::HandleTag,
    token::{AccessToken, VerifiedAccessToken},
    verify::Facts,
};

/// A verified session.
///
/// Cheap to clone; clones are the same session. What is changed here (a merged payload, a
/// revocation) reaches the response of the request by itself.
///
/// # Examples
///
/// ```
/// use serde_json::{Map, json};
/// use session_core::{Session, SessionError};
///
/// async fn rename(session: Session, nickname: &str) -> Result<(), SessionError> {
///     let update = Map::from_iter([("nickname".to_owned(), json!(nickname))]);
///     session.merge_payload(update).await
/// }
/// ```
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
    /// The response that its changes go to. Not within, as the response's exchange knows the session.
    binding: Option<Binding>,
}

struct Inner {
    sessions: Sessions,
    /// What it was verified with: whose session it is and which never changes.
    presented: Arc<VerifiedAccessToken>,
    /// How its tokens travel, when it came with a request.
    method: Option<TransferMethod>,
    changed: RwLock<Changed>,
    facts: Mutex<Facts>,
}

/// What has become another since.
#[derive(Default)]
struct Changed {
    /// The access token.
    verified: Option<Arc<VerifiedAccessToken>>,
    /// All claims, where they are not the token's: it had expired when they were changed.
    payload: Option<Arc<Map<String, Value>>>,
    /// Tokens that the client does not have yet.
    unsent: Option<Tokens>,
}

impl Session {
    pub(crate) fn new(
        sessions: Sessions,
        presented: Arc<VerifiedAccessToken>,
        method: Option<TransferMethod>,
        facts: Facts,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                sessions,
                presented,
                method,
                changed: RwLock::default(),
                facts: Mutex::new(facts),
            }),
            binding: None,
        }
    }

    /// Whose session it is.
    pub fn user_id(&self) -> &UserId {
        self.inner.presented.user_id()
    }

    /// The login method's own id of the user, where accounts are linked; else the same as
    /// [`user_id`](Self::user_id).
    pub fn recipe_user_id(&self) -> UserId {
        self.verified().recipe_user_id().clone()
    }

    /// The session's name: the same for all its tokens.
    pub fn handle(&self) -> &SessionHandle {
        self.inner.presented.handle()
    }

    /// The tenant it belongs to.
    pub fn tenant_id(&self) -> &TenantId {
        self.inner.presented.tenant()
    }

    /// The application's claims.
    pub fn payload(&self) -> Payload {
        Payload::of_claims(&self.access_token_payload())
    }

    /// All claims of the access token, the session's own among them.
    pub fn access_token_payload(&self) -> Arc<Map<String, Value>> {
        let changed = self.changed();
        Arc::clone(changed.payload(&self.inner.presented))
    }

    /// The value of a claim, if the payload has it in a form that can be read.
    pub fn claim<C: SessionClaim>(&self) -> Option<C::Value> {
        claims::value::<C>(&self.access_token_payload())
    }

    /// The access token itself. Whoever has it is the user: it belongs into requests to services
    /// that verify it, and nowhere else.
    pub fn access_token(&self) -> AccessToken {
        self.verified().token().clone()
    }

    /// When the access token expires. The session lives on for as long as it is refreshed.
    pub fn access_token_expires_at(&self) -> SystemTime {
        from_unix_ms(self.verified().expires_at_s().saturating_mul(1_000))
    }

    /// What the client does not have yet, when the session is not bound to a response: tokens that
    /// replaced those it was verified with.
    pub fn unsent_tokens(&self) -> Option<Tokens> {
        self.changed().unsent.clone()
    }

    /// Overlays `update` on the application's claims, member by member; `null` removes.
    ///
    /// Based on what the database has, so concurrent updates of different members are all kept.
    /// The new access token travels with the response and keeps the old one's expiry; if that has
    /// passed meanwhile, the client gets the new claims with its next refresh (wire cases 63, 64).
    ///
    /// # Errors
    ///
    /// * [`InvalidPayload`](SessionError::InvalidPayload): a protected name, or too large for a
    ///   token or for the way it travels.
    /// * [`Unauthorised`](SessionError::Unauthorised): the session has ended.
    /// * [`ResponseStarted`](SessionError::ResponseStarted): too late to send the token; nothing
    ///   was changed.
    /// * [`Unavailable`](SessionError::Unavailable): outcome unknown.
    pub async fn merge_payload(&self, update: Map<String, Value>) -> Result<(), SessionError> {
        if let Some(binding) = &self.binding {
            binding.ensure_open()?;
        }
        self.merge_unattached(&update).await?;
        self.attach_unsent()
    }

    /// Makes a new access token with what the database has, keeping the expiry.
    ///
    /// # Errors
    ///
    /// As [`merge_payload`](Self::merge_payload).
    pub async fn regenerate(&self) -> Result<(), SessionError> {
        self.merge_payload(Map::new()).await
    }

    /// Sets a claim to a value.
    ///
    /// # Errors
    ///
    /// As [`merge_payload`](Self::merge_payload).
    pub async fn set_claim<C: SessionClaim>(&self, value: &C::Value) -> Result<(), SessionError> {
        let update = claims::update::<C>(value, self.inner.sessions.clock().now())
            .map_err(SessionError::ClaimFetch)?;
        self.merge_payload(update).await
    }

    /// Fetches a registered claim and sets it; leaves it as it is when there is no value.
    ///
    /// # Errors
    ///
    /// As [`merge_payload`](Self::merge_payload), and
    /// [`ClaimFetch`](SessionError::ClaimFetch).
    pub async fn fetch_and_set_claim<C: SessionClaim>(&self) -> Result<(), SessionError> {
        let payload = self.access_token_payload();
        let update = self
            .inner
            .sessions
            .fetch_claim_update::<C>(self.user_id(), self.tenant_id(), &payload)
            .await?;
        match update {
            Some(update) => self.merge_payload(update).await,
            None => Ok(()),
        }
    }

    /// Removes a claim.
    ///
    /// # Errors
    ///
    /// As [`merge_payload`](Self::merge_payload).
    pub async fn remove_claim<C: SessionClaim>(&self) -> Result<(), SessionError> {
        self.merge_payload(Map::from_iter([(C::KEY.to_owned(), json!(null))]))
            .await
    }

    /// The session as the database knows it.
    ///
    /// # Errors
    ///
    /// [`Unauthorised`](SessionError::Unauthorised) when it has ended,
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn information(&self) -> Result<SessionInformation, SessionError> {
        self.inner
            .sessions
            .information(self.handle())
            .await?
            .ok_or(ENDED)
    }

    /// Replaces the application's own data about the session.
    ///
    /// # Errors
    ///
    /// As [`information`](Self::information), and
    /// [`DataTooLong`](SessionError::DataTooLong).
    pub async fn update_data(&self, data: &Map<String, Value>) -> Result<(), SessionError> {
        if self.inner.sessions.update_data(self.handle(), data).await? {
            Ok(())
        } else {
            Err(ENDED)
        }
    }

    /// Ends the session and clears its tokens in the response. Durable when it returns, and from then
    /// on routes of this node that check the blacklist refuse it, too; a session that has ended
    /// already is no error (RFC 7009 §2.2). `true` if this call ended it.
    ///
    /// # Errors
    ///
    /// [`ResponseStarted`](SessionError::ResponseStarted): nothing was done.
    /// [`Unavailable`](SessionError::Unavailable): not confirmed; try again.
    pub async fn revoke(&self) -> Result<bool, SessionError> {
        if let Some(binding) = &self.binding {
            binding.ensure_open()?;
        }
        let ended = self.inner.sessions.revoke(self.handle()).await?;
        if !ended {
            self.inner
                .sessions
                .note_ended(self.handle(), self.access_token_expires_at());
        }
        if let Some(binding) = &self.binding {
            binding.clear()?;
        }
        Ok(ended)
    }

    /// Ends all other sessions of the user, in every tenant, and returns those that it ended.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): not confirmed; try again.
    pub async fn revoke_others(&self) -> Result<Vec<SessionHandle>, SessionError> {
        self.inner
            .sessions
            .revoke_scope(SessionScope::User {
                user: self.user_id().clone(),
                tenant: None,
                except: Some(self.handle().clone()),
            })
            .await
    }

    /// Completes when the session has ended: what a WebSocket or an event stream waits for to
    /// close. A refresh does not end a session.
    ///
    /// Costs nothing while it waits. While the node does not hear of revocations, the database is
    /// asked instead, and when that does not answer either, the session counts as ended. Both are
    /// looked at each [`max_staleness`](crate::SessionConfig::max_staleness), so on such a node it may
    /// complete as much later than a [receipt](crate::receipts) says that every node knows.
    pub fn revoked(&self) -> impl Future<Output = ()> + Send + use<> {
        let session = self.clone();
        async move { session.inner.sessions.ended(session.handle()).await }
    }

    /// How long the access token is still valid.
    pub fn access_token_remaining(&self) -> Duration {
        let now = self.inner.sessions.clock().now();
        self.access_token_expires_at()
            .duration_since(now)
            .unwrap_or(Duration::ZERO)
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.inner
            .facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Its access token as it is now.
    pub(crate) fn verified(&self) -> Arc<VerifiedAccessToken> {
        let changed = self.changed();
        Arc::clone(changed.verified(&self.inner.presented))
    }

    /// The session, sending what it changes to a response, beginning with what it has changed so far.
    pub(crate) fn bound(self, binding: Binding) -> Result<Self, SessionError> {
        let bound = Self {
            binding: Some(binding),
            ..self
        };
        bound.attach_unsent()?;
        Ok(bound)
    }

    /// Sends tokens that checks have replaced to the response, if the session is bound to one.
    fn attach_unsent(&self) -> Result<(), SessionError> {
        let Some(binding) = &self.binding else {
            return Ok(());
        };
        // Nearly always there is nothing to send.
        if self.changed().unsent.is_none() {
            return Ok(());
        }
        let mut changed = self.change();
        if let Some(tokens) = &changed.unsent {
            binding.attach(tokens)?;
            changed.unsent = None;
        }
        Ok(())
    }

    /// Merges into database and session, without telling the response.
    pub(crate) async fn merge_unattached(
        &self,
        update: &Map<String, Value>,
    ) -> Result<(), SessionError> {
        let verified = self.verified();
        let method = self.inner.method;
        let merged = self
            .inner
            .sessions
            .merge(
                self.handle(),
                update,
                PayloadCarrier::Token(&verified, method),
            )
            .await?
            .ok_or(ENDED)?;
        let mut changed = self.change();
        if let Some(access) = merged.access {
            changed.replace(access.verified, access.tokens);
        } else {
            let payload = changed.payload(&self.inner.presented);
            changed.payload = Some(Arc::new(merged.payload.with_own_claims_of(payload)));
        }
        drop(changed);
        self.facts().forget_claims();
        Ok(())
    }

    /// Makes a new access token when the database has another payload than the token (wire case
    /// 25). Writes nothing.
    pub(crate) fn adopt_stored_payload(&self, stored: &str) -> Result<(), SessionError> {
        let verified = self.verified();
        // Nearly always nothing has changed, and the token says it in the same words.
        if self.changed().payload.is_none() && verified.carries(stored) {
            return Ok(());
        }
        let stored = Payload::stored(stored)?;
        if stored.is_part_of(self.changed().payload(&self.inner.presented)) {
            return Ok(());
        }
        tracing::debug!(session = %HandleTag::of(self.handle()), "payload changed: new access token");
        if let Some(access) = self.inner.sessions.reissue(&verified, &stored)? {
            self.change().replace(access.verified, access.tokens);
            self.facts().forget_claims();
        }
        Ok(())
    }

    fn changed(&self) -> RwLockReadGuard<'_, Changed> {
        let changed = self.inner.changed.read();
        changed.unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Changed> {
        let changed = self.inner.changed.write();
        changed.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changed {
    fn verified<'a>(
        &'a self,
        presented: &'a Arc<VerifiedAccessToken>,
    ) -> &'a Arc<VerifiedAccessToken> {
        self.verified.as_ref().unwrap_or(presented)
    }

    fn payload<'a>(
        &'a self,
        presented: &'a Arc<VerifiedAccessToken>,
    ) -> &'a Arc<Map<String, Value>> {
        let changed = self.payload.as_ref();
        changed.unwrap_or_else(|| self.verified(presented).payload())
    }

    fn replace(&mut self, verified: VerifiedAccessToken, tokens: Tokens) {
        *self = Self {
            verified: Some(Arc::new(verified)),
            payload: None,
            unsent: Some(tokens),
        };
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", HandleTag::of(self.handle()))
    }
}

const ENDED: SessionError = SessionError::Unauthorised(ClientTokens::Clear);
