//! `SessionScope`: the sessions that a bulk operation is about.

use super::StoreError;
use crate::ids::{SessionHandle, TenantId, UserId};

/// The sessions that a bulk operation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must refuse to compile rather than misread a new kind of scope"
)]
pub enum SessionScope {
    /// The sessions with these handles; at most [`SessionScope::MAX_HANDLES`].
    Handles(Vec<SessionHandle>),
    /// All sessions of a user, in one tenant or in all, perhaps sparing one.
    User {
        /// Whose sessions.
        user: UserId,
        /// Only those of this tenant; of every tenant when `None`.
        tenant: Option<TenantId>,
        /// A session to leave alone.
        except: Option<SessionHandle>,
    },
    /// All sessions of a tenant.
    Tenant(TenantId),
}

impl From<&SessionHandle> for SessionScope {
    fn from(handle: &SessionHandle) -> Self {
        Self::Handles(vec![handle.clone()])
    }
}

impl From<&[SessionHandle]> for SessionScope {
    fn from(handles: &[SessionHandle]) -> Self {
        Self::Handles(handles.to_vec())
    }
}

/// In every tenant.
impl From<&UserId> for SessionScope {
    fn from(user: &UserId) -> Self {
        Self::User {
            user: user.clone(),
            tenant: None,
            except: None,
        }
    }
}

impl From<&TenantId> for SessionScope {
    fn from(tenant: &TenantId) -> Self {
        Self::Tenant(tenant.clone())
    }
}

impl SessionScope {
    /// The most handles that one call takes; a caller with more asks several times.
    pub const MAX_HANDLES: usize = 10_000;

    /// The check that every store begins a bulk operation with (security G8).
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyHandles`] when more than [`MAX_HANDLES`](Self::MAX_HANDLES) are named,
    /// counting repeated ones.
    pub fn within_limits(&self) -> Result<(), StoreError> {
        match self {
            Self::Handles(handles) if handles.len() > Self::MAX_HANDLES => {
                Err(StoreError::TooManyHandles)
            }
            Self::Handles(_) | Self::User { .. } | Self::Tenant(_) => Ok(()),
        }
    }
}
