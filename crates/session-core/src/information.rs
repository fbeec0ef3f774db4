//! What is known about a session without holding its tokens, and what a new one begins with.

use std::{fmt, time::SystemTime};

use serde_json::{Map, Value};

use crate::{
    clock::from_unix_ms,
    error::BackendError,
    ids::{SessionHandle, TenantId, UserId},
    json,
    payload::Payload,
    store::{SessionRecord, StoreError},
};

/// A session as the database knows it.
#[derive(Clone, PartialEq)]
pub struct SessionInformation {
    record: SessionRecord,
    payload: Payload,
    data: Map<String, Value>,
}

impl SessionInformation {
    pub(crate) fn from_record(record: SessionRecord) -> Result<Self, BackendError> {
        let payload = Payload::stored(&record.payload).map_err(BackendError::Store)?;
        let data = json::parse_object(record.data.as_bytes())
            .map_err(|_| BackendError::Store(StoreError::Corrupt("session data")))?;
        Ok(Self {
            record,
            payload,
            data,
        })
    }

    /// The session's name.
    pub fn handle(&self) -> &SessionHandle {
        &self.record.handle
    }

    /// Whose session it is.
    pub fn user_id(&self) -> &UserId {
        &self.record.user
    }

    /// The tenant it belongs to.
    pub fn tenant_id(&self) -> &TenantId {
        &self.record.tenant
    }

    /// The claims that its next access token will carry.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The application's own data about it.
    pub fn data(&self) -> &Map<String, Value> {
        &self.data
    }

    /// When it was created.
    pub fn created_at(&self) -> SystemTime {
        from_unix_ms(self.record.created_at_ms)
    }

    /// When it was last refreshed; the time of creation before the first refresh.
    pub fn last_refreshed_at(&self) -> SystemTime {
        from_unix_ms(self.record.refreshed_at_ms)
    }

    /// When it ends unless it is refreshed.
    pub fn expires_at(&self) -> SystemTime {
        from_unix_ms(self.record.expires_at_ms)
    }

    /// When it ends even if it is refreshed; `None` when there is no such time.
    pub fn absolute_expiry(&self) -> Option<SystemTime> {
        self.record.absolute_expires_at_ms.map(from_unix_ms)
    }

    /// A cursor for the next page of a list.
    pub(crate) fn record(&self) -> &SessionRecord {
        &self.record
    }
}

impl fmt::Debug for SessionInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionInformation")
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

/// What a new session begins with.
///
/// # Examples
///
/// ```
/// use serde_json::json;
/// use session_core::{NewSession, UserId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let new = NewSession::new(UserId::try_from("ann")?)
///     .claim_value("plan", json!("pro"))
///     .data_value("device", json!("laptop"));
/// # let _ = new;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct NewSession {
    pub(crate) user: UserId,
    pub(crate) tenant: TenantId,
    pub(crate) payload: Map<String, Value>,
    pub(crate) data: Map<String, Value>,
}

impl NewSession {
    /// A session of `user` in the default tenant, with no claims and no data.
    pub fn new(user: UserId) -> Self {
        Self {
            user,
            tenant: TenantId::default(),
            payload: Map::new(),
            data: Map::new(),
        }
    }

    /// Puts the session into a tenant.
    pub fn tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// The claims that the access token carries, readable by everybody who holds it: at most
    /// 16 KiB as JSON, without the [protected names](Payload::PROTECTED_NAMES).
    pub fn payload(mut self, payload: Map<String, Value>) -> Self {
        self.payload = payload;
        self
    }

    /// Adds one claim to the payload.
    pub fn claim_value(mut self, name: impl Into<String>, value: Value) -> Self {
        self.payload.insert(name.into(), value);
        self
    }

    /// The application's own data about the session, such as a device's name. Stays in the
    /// database; at most 16 KiB as JSON.
    pub fn data(mut self, data: Map<String, Value>) -> Self {
        self.data = data;
        self
    }

    /// Adds one entry to the application's own data.
    pub fn data_value(mut self, name: impl Into<String>, value: Value) -> Self {
        self.data.insert(name.into(), value);
        self
    }
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}
