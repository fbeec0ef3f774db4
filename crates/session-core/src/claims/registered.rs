//! `RegisteredClaims`: the claims that an application knows how to fetch, in one list.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{ClaimContext, ClaimFetchError, SessionClaim, stored};
use crate::{
    ids::{TenantId, UserId},
    payload::Payload,
};

/// The claims that an application knows how to fetch, in the order in which a new session gets them.
///
/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct RegisteredClaims(Arc<[Arc<dyn FetchableClaim>]>);

impl RegisteredClaims {
    /// Begins a list.
    pub(crate) fn builder() -> RegisteredClaimsBuilder {
        RegisteredClaimsBuilder(Vec::new())
    }

    /// The keys of the claims, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|claim| claim.key())
    }

    /// Fetches every claim for a new session, one after the other, so that each sees those before
    /// it. They replace what the payload has under their keys.
    pub(crate) async fn build_all(
        &self,
        whose: &FetchFor<'_>,
        payload: &mut Map<String, Value>,
    ) -> Result<(), ClaimFetchError> {
        for claim in self.0.iter() {
            whose.fetch_into(payload, claim.as_ref()).await?;
        }
        Ok(())
    }

    /// Fetches the claim with this key into the payload, and says whether there is such a claim. Its
    /// application may leave the payload as it is.
    pub(crate) async fn fetch(
        &self,
        key: &str,
        whose: &FetchFor<'_>,
        payload: &mut Map<String, Value>,
    ) -> Result<bool, ClaimFetchError> {
        match self.0.iter().find(|claim| claim.key() == key) {
            Some(claim) => {
                whose.fetch_into(payload, claim.as_ref()).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

impl fmt::Debug for RegisteredClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys()).finish()
    }
}

/// Builds [`RegisteredClaims`].
#[must_use = "a builder does nothing until `build`"]
pub(crate) struct RegisteredClaimsBuilder(Vec<Arc<dyn FetchableClaim>>);

impl RegisteredClaimsBuilder {
    /// Adds a claim after those that are there.
    pub(crate) fn claim<C: SessionClaim>(mut self, claim: C) -> Self {
        self.0.push(Arc::new(claim));
        self
    }

    /// Judges the list.
    ///
    /// # Errors
    ///
    /// [`ClaimRegistrationError`] when a key is empty, protected or there twice.
    pub(crate) fn build(self) -> Result<RegisteredClaims, ClaimRegistrationError> {
        let keys: Vec<&'static str> = self.0.iter().map(|claim| claim.key()).collect();
        for (index, key) in keys.iter().enumerate() {
            if key.is_empty() {
                return Err(ClaimRegistrationError::EmptyKey);
            }
            if Payload::PROTECTED_NAMES.contains(key) {
                return Err(ClaimRegistrationError::ProtectedKey(key));
            }
            if keys.iter().take(index).any(|earlier| earlier == key) {
                return Err(ClaimRegistrationError::DuplicateKey(key));
            }
        }
        Ok(RegisteredClaims(self.0.into()))
    }
}

impl fmt::Debug for RegisteredClaimsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.0.iter().map(|claim| claim.key());
        f.debug_list().entries(keys).finish()
    }
}

/// Why claims cannot be registered together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimRegistrationError {
    /// A claim has an empty key.
    #[error("a claim has an empty key")]
    EmptyKey,
    /// A claim would overwrite a member of the token that says whose it is (security B10).
    #[error("a claim has the key {0:?}, which is a protected name")]
    ProtectedKey(&'static str),
    /// Two claims would overwrite each other.
    #[error("two claims have the key {0:?}")]
    DuplicateKey(&'static str),
}

/// Whose claims are fetched, as of when, and how long that may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FetchFor<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) tenant: &'a TenantId,
    pub(crate) now: SystemTime,
    pub(crate) timeout: Duration,
}

impl FetchFor<'_> {
    async fn fetch_into(
        &self,
        payload: &mut Map<String, Value>,
        claim: &dyn FetchableClaim,
    ) -> Result<(), ClaimFetchError> {
        let context = ClaimContext::new(self.user, self.tenant, payload);
        let fetched = tokio::time::timeout(self.timeout, claim.fetch_json(&context)).await;
        let fetched = fetched.map_err(|_| ClaimFetchError::TimedOut {
            key: claim.key(),
            timeout: self.timeout,
        })?;
        if let Some(value) = fetched? {
            stored::set(payload, claim.key(), value, self.now);
        }
        Ok(())
    }
}

/// A claim whose value's type is forgotten.
#[async_trait]
trait FetchableClaim: Send + Sync {
    fn key(&self) -> &'static str;

    async fn fetch_json(
        &self,
        context: &ClaimContext<'_>,
    ) -> Result<Option<Value>, ClaimFetchError>;
}

#[async_trait]
impl<C: SessionClaim> FetchableClaim for C {
    fn key(&self) -> &'static str {
        C::KEY
    }

    async fn fetch_json(
        &self,
        context: &ClaimContext<'_>,
    ) -> Result<Option<Value>, ClaimFetchError> {
        let key = C::KEY;
        let fetched = self.fetch(context).await;
        match fetched.map_err(|source| ClaimFetchError::Failed { key, source })? {
            Some(value) => serde_json::to_value(value)
                .map(|value| Some(value).filter(|value| !value.is_null()))
                .map_err(|source| ClaimFetchError::NotJson { key, source }),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
