//! The seam between the service and whoever owns its sessions.
//!
//! [`LocalBackend`] owns them itself, with keys and a store in this process.

mod issue;
mod local;
mod refresh;
mod service_jwt;

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::Guard;
use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    config::{AccessKeyKind, AntiCsrf, SessionConfig},
    error::SessionError,
    http::TransferMethod,
    ids::{KeyId, SessionHandle},
    information::{NewSession, SessionInformation},
    issued::Tokens,
    keys::{KeyError, KeyRing},
    payload::Payload,
    store::SessionScope,
    token::{RefreshToken, VerifiedAccessToken},
    verify::PresentedAntiCsrf,
};

pub(crate) use local::LocalBackend;

/// Owns sessions: makes, rotates, changes and ends them, and has the keys that verify their tokens.
///
/// Sealed: implemented by the crates of this workspace only.
#[async_trait]
pub(crate) trait SessionBackend: fmt::Debug + Send + Sync + 'static {
    /// The keys as they are known now, for a moment. No I/O.
    fn keys(&self) -> Guard<Arc<KeyRing>>;

    /// Reads the keys again, at most once a second however often it is called.
    async fn reload_keys(&self) -> Result<(), KeyError>;

    async fn create(
        &self,
        new: &NewSession,
        payload: Payload,
        delivery: Delivery,
    ) -> Result<Issued, SessionError>;

    async fn refresh(
        &self,
        token: &RefreshToken,
        anti_csrf: PresentedAntiCsrf<'_>,
        delivery: Delivery,
    ) -> Result<Issued, SessionError>;

    /// Overlays `update` on the session's payload; `None` when there is no such session.
    async fn merge_payload(
        &self,
        handle: &SessionHandle,
        update: &Map<String, Value>,
        regenerate: Option<(&VerifiedAccessToken, Delivery)>,
    ) -> Result<Option<Merged>, SessionError>;

    /// An access token with the given payload and the expiry of `current`; `None` once that has
    /// passed. Writes nothing.
    fn reissue(
        &self,
        current: &VerifiedAccessToken,
        payload: &Payload,
    ) -> Result<Option<Issued>, SessionError>;

    /// The payload of a session that has not ended, as it is stored.
    async fn live_payload(&self, handle: &SessionHandle) -> Result<Option<String>, SessionError>;

    async fn information(
        &self,
        handle: &SessionHandle,
    ) -> Result<Option<SessionInformation>, SessionError>;

    async fn list(
        &self,
        scope: SessionScope,
        after: Option<&SessionInformation>,
        limit: u32,
    ) -> Result<Vec<SessionInformation>, SessionError>;

    async fn update_data(
        &self,
        handle: &SessionHandle,
        data: &Map<String, Value>,
    ) -> Result<bool, SessionError>;

    /// Ends sessions, and returns those that this call ended.
    async fn revoke(&self, scope: SessionScope) -> Result<Vec<SessionHandle>, SessionError>;

    async fn create_jwt(
        &self,
        payload: Map<String, Value>,
        validity: Duration,
        kind: AccessKeyKind,
    ) -> Result<String, SessionError>;

    async fn rotate_signing_key(&self) -> Result<(), SessionError>;

    async fn rotate_refresh_key(&self) -> Result<(), SessionError>;

    async fn remove_key(&self, id: &KeyId) -> Result<bool, SessionError>;

    /// Whether the store answers; how far its clock is from ours.
    async fn ping(&self) -> Result<Option<Duration>, SessionError>;
}

/// How new tokens will travel, as far as that decides what they contain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    /// The transport whose limits they must meet; both when not known.
    pub(crate) method: Option<TransferMethod>,
    /// Whether they carry an anti-CSRF token.
    pub(crate) anti_csrf: bool,
}

impl Delivery {
    /// By this transport. A session that travels in headers needs no anti-CSRF token (wire §4.6).
    pub(crate) fn by(method: TransferMethod, config: &SessionConfig) -> Self {
        let anti_csrf =
            method == TransferMethod::Cookie && config.anti_csrf() == AntiCsrf::ViaToken;
        Self {
            method: Some(method),
            anti_csrf,
        }
    }

    /// By a transport that is the caller's business.
    pub(crate) fn unknown(config: &SessionConfig) -> Self {
        Self {
            method: None,
            anti_csrf: config.anti_csrf() == AntiCsrf::ViaToken,
        }
    }
}

/// Tokens, with the claims that they carry.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) verified: VerifiedAccessToken,
    pub(crate) tokens: Tokens,
}

/// A changed payload, with the access token that carries it.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) payload: Payload,
    pub(crate) access: Option<Issued>,
}
