//! `Sessions`: the service that an application holds.

mod administration;
mod builder;
mod claims;
mod ended;
mod health;
mod lifecycle;
mod maintenance;
mod manage;
mod receipts;

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    backend::{Delivery, Issued, Merged, SessionBackend},
    blacklist::Blacklist,
    claims::{ClaimValidator, RegisteredClaims},
    clock::Clock,
    config::SessionConfig,
    error::SessionError,
    http::TransferMethod,
    ids::SessionHandle,
    payload::Payload,
    receipts::Registered,
    store_calls::StoreCalls,
    token::{VerifiedAccessToken, access::AccessPolicy},
    verify::VerifiedTokens,
};

pub use administration::Administration;
pub use builder::SessionsBuilder;
pub use health::{Attendance, BlacklistHealth, Health};

/// Makes, verifies, refreshes and ends sessions. Cheap to clone; clones are the same service.
///
/// Owns a background task that keeps the keys and the set of revoked sessions current and deletes
/// expired rows. It ends with [`shutdown`](Self::shutdown), or when the last clone is dropped.
///
/// # Examples
///
/// ```
/// use session_core::{AppInfo, MemoryStore, NewSession, Sessions, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder(AppInfo::new("https://api.example.com", "https://example.com"))
///     .store(MemoryStore::default())
///     .build()
///     .await?;
/// let issued = sessions.create(NewSession::new(UserId::try_from("ann")?)).await?;
/// assert!(sessions.revoke(issued.session().handle()).await?);
/// # sessions.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    config: Arc<SessionConfig>,
    backend: Arc<dyn SessionBackend>,
    blacklist: Arc<Blacklist>,
    calls: StoreCalls,
    clock: Arc<dyn Clock>,
    claims: RegisteredClaims,
    validators: Arc<[Arc<dyn ClaimValidator>]>,
    access_policy: AccessPolicy,
    verified_tokens: VerifiedTokens,
    health: Arc<health::Measured>,
    /// In the registry of a store that others use too.
    registered: Option<Registered>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Sessions {
    /// The configuration in force.
    pub fn config(&self) -> &SessionConfig {
        &self.0.config
    }

    /// The clock that everything here is timed by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Stops the background task, takes this node out of the registry, and waits until every store
    /// call that was begun has ended, or has not been answered in time.
    ///
    /// Requests that are still being answered may go on; what changes sessions after this is not
    /// waited for, and routes that check the blacklist answer 503, as nobody waits for this node any
    /// more. So first stop taking requests.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.calls.close().await;
    }

    pub(crate) fn shared_config(&self) -> &Arc<SessionConfig> {
        &self.0.config
    }

    pub(crate) fn backend(&self) -> &dyn SessionBackend {
        &*self.0.backend
    }

    pub(crate) fn blacklist(&self) -> &Arc<Blacklist> {
        &self.0.blacklist
    }

    pub(crate) fn access_policy(&self) -> &AccessPolicy {
        &self.0.access_policy
    }

    pub(crate) fn verified_tokens(&self) -> &VerifiedTokens {
        &self.0.verified_tokens
    }

    pub(crate) fn registered_claims(&self) -> &RegisteredClaims {
        &self.0.claims
    }

    pub(crate) fn global_validators(&self) -> &[Arc<dyn ClaimValidator>] {
        &self.0.validators
    }

    pub(crate) async fn merge(
        &self,
        handle: &SessionHandle,
        update: &Map<String, Value>,
        carrier: PayloadCarrier<'_>,
    ) -> Result<Option<Merged>, SessionError> {
        let regenerate = match carrier {
            PayloadCarrier::NextRefresh => None,
            PayloadCarrier::Token(token, method) => {
                let anti_csrf = token.anti_csrf_token().is_some();
                Some((token, Delivery { method, anti_csrf }))
            }
        };
        self.backend()
            .merge_payload(handle, update, regenerate)
            .await
    }

    pub(crate) fn reissue(
        &self,
        current: &VerifiedAccessToken,
        payload: &Payload,
    ) -> Result<Option<Issued>, SessionError> {
        self.backend().reissue(current, payload)
    }
}

/// What carries a changed payload to the client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PayloadCarrier<'a> {
    /// The token of the next refresh.
    NextRefresh,
    /// A new access token in place of this one, by this transport if it is known.
    Token(&'a VerifiedAccessToken, Option<TransferMethod>),
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("backend", &self.0.backend)
            .field("blacklist", &self.0.blacklist)
            .finish_non_exhaustive()
    }
}
