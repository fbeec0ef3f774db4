//! The keys of a service: those that sign access tokens and those that protect refresh tokens.
//!
//! Keys live in the session store, where all nodes find the same ones. `ring` says which key
//! serves when, `service` makes, loads and removes them, `seal` encrypts them at rest.

pub mod jwks;

pub(crate) mod refresh;
pub(crate) mod ring;
pub(crate) mod seal;
pub(crate) mod service;
pub(crate) mod signing;

mod public;
mod stored;

pub use jwks::Jwks;
pub use seal::InvalidAtRestSecret;

pub(crate) use public::{KeyFingerprint, VerificationKey};
pub(crate) use refresh::RefreshKey;
pub(crate) use ring::{KeyPolicy, KeyRing};
pub(crate) use seal::{AtRestSecret, AtRestSecrets};
pub use service::ReloadFailed;
pub use stored::{KeyRotation, KeyState, StoredKey};

pub(crate) use service::KeyService;
pub(crate) use signing::SigningKey;

use std::sync::Arc;

use crate::{
    ids::KeyId,
    store::{KeyRecord, StoreError},
};

/// Why keys cannot be used, made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The store gave no answer.
    #[error("the keys could not be loaded or stored")]
    Store(#[from] StoreError),
    /// The material is not what the record says it is.
    #[error("the key {0} is unreadable")]
    Unreadable(KeyId),
    /// The material is encrypted under an at-rest secret that is not configured here, or was
    /// changed. Keys made in its place would end all sessions.
    #[error(
        "the key {key} is encrypted under the at-rest secret `{secret}`, which is not configured here \
         or was changed"
    )]
    Sealed {
        /// The key.
        key: KeyId,
        /// The name of the secret.
        secret: String,
    },
    /// Keys were to be encrypted, and there is nothing to encrypt them with.
    #[error("no at-rest secret is configured to encrypt the keys under")]
    NoAtRestSecret,
    /// The key is too weak to be relied upon (security A18).
    #[error("the key {key} is too weak: {reason}")]
    Weak {
        /// The key.
        key: KeyId,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A new signing key was to be as large as the newest one, and there is none, or it cannot be
    /// read, or is larger than those that are made here.
    #[error("no signing key tells how large the next one has to be; its size must be given")]
    SizeUnknown,
    /// The system's generator of keys or random numbers failed.
    #[error("a key could not be generated")]
    Generation,
    /// There is no key that may be used now, because none could be made or loaded in time.
    #[error("there is no usable key")]
    NoUsableKey,
    /// The keys could not be read a moment ago, and are not read again so soon.
    #[error("the keys could not be read")]
    NotReloaded(#[from] ReloadFailed),
}

/// A key's record turned into a key.
pub(crate) enum Key {
    /// Signs access tokens.
    Signing(Arc<SigningKey>),
    /// Protects refresh tokens.
    Refresh(Arc<RefreshKey>),
}

impl Key {
    /// Reads a record whose material is in the clear. The material is used for the record's
    /// algorithm and purpose and for nothing else (security A19).
    pub(crate) fn from_record(record: &KeyRecord) -> Result<Self, KeyError> {
        use crate::store::KeyPurpose::{AccessDynamic, AccessStatic, Refresh};
        match (record.purpose, record.algorithm.as_str()) {
            (AccessDynamic | AccessStatic, signing::ALGORITHM) => {
                Ok(Self::Signing(Arc::new(SigningKey::from_record(record)?)))
            }
            (Refresh, refresh::ALGORITHM) => {
                Ok(Self::Refresh(Arc::new(RefreshKey::from_record(record)?)))
            }
            _ => Err(KeyError::Unreadable(record.id.clone())),
        }
    }
}
