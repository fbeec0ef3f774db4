//! `SessionClaim`: a value about a user, and how the application finds it out.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::ids::{TenantId, UserId};

/// An error of the application's.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A value about a user that travels in the access token.
///
/// It is stored in the payload under [`KEY`](Self::KEY) as `{"v": value, "t": milliseconds}`, and
/// everybody who sees the token can read it.
#[async_trait]
pub trait SessionClaim: Send + Sync + 'static {
    /// The value's type. A value that is written as JSON `null` counts as none.
    type Value: Serialize + DeserializeOwned + Send + Sync;

    /// The member of the payload; neither empty nor a protected name.
    const KEY: &'static str;

    /// How old a value may be before validators fetch it again, unless they say otherwise; any age
    /// when `None`.
    const DEFAULT_MAX_AGE: Option<Duration> = None;

    /// Finds out the value; `None` leaves the payload as it is.
    ///
    /// It is called when a session is created and when a validator finds the value missing or too
    /// old, and given up after
    /// [`claim_fetch_timeout`](crate::config::SessionConfigBuilder::claim_fetch_timeout).
    ///
    /// # Errors
    ///
    /// Whatever kept the application from finding out. The request fails as our own fault, not the
    /// client's.
    async fn fetch(&self, context: &ClaimContext<'_>) -> Result<Option<Self::Value>, BoxError>;
}

/// Whose claim is fetched.
#[derive(Debug, Clone, Copy)]
pub struct ClaimContext<'a> {
    user: &'a UserId,
    tenant: &'a TenantId,
    payload: &'a Map<String, Value>,
}

impl<'a> ClaimContext<'a> {
    /// The claim of `user` in `tenant`, whose session has the payload `payload` so far.
    pub fn new(user: &'a UserId, tenant: &'a TenantId, payload: &'a Map<String, Value>) -> Self {
        Self {
            user,
            tenant,
            payload,
        }
    }

    /// Whose session it is.
    pub fn user(&self) -> &'a UserId {
        self.user
    }

    /// The session's tenant.
    pub fn tenant(&self) -> &'a TenantId {
        self.tenant
    }

    /// The payload so far, with the claims that were fetched before this one.
    pub fn payload(&self) -> &'a Map<String, Value> {
        self.payload
    }
}

/// Why a claim's value is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimFetchError {
    /// The application's function failed.
    #[error("the claim {key} could not be fetched")]
    Failed {
        /// The claim's key.
        key: &'static str,
        /// What the function returned.
        #[source]
        source: BoxError,
    },

    /// The application's function did not return in time.
    #[error("the claim {key} was not fetched within {timeout:?}")]
    TimedOut {
        /// The claim's key.
        key: &'static str,
        /// How long it was waited for.
        timeout: Duration,
    },

    /// The value cannot be written as JSON.
    #[error("the value of the claim {key} cannot be written as JSON")]
    NotJson {
        /// The claim's key.
        key: &'static str,
        /// What the serialiser says.
        #[source]
        source: serde_json::Error,
    },
}
