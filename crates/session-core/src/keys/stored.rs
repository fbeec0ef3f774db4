//! `StoredKey`: what may be shown of a key.

use std::time::SystemTime;

use crate::{clock::from_unix_ms, ids::KeyId, store::KeyPurpose};

/// A key as the database has it, without its material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    pub(crate) id: KeyId,
    pub(crate) purpose: KeyPurpose,
    pub(crate) algorithm: String,
    pub(crate) created_at_ms: i64,
    pub(crate) sealed_under: Option<String>,
    pub(crate) state: KeyState,
    pub(crate) bits: Option<usize>,
}

/// What a key is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyState {
    /// It is published and makes no tokens yet, so that every node has read it before the first one
    /// is out.
    Upcoming,
    /// New tokens are made with it.
    InUse,
    /// It makes no tokens any more, and those that it made are good.
    Previous,
    /// No living token was made with it; nodes remove it by themselves.
    Retired,
    /// Its material cannot be read here: it is encrypted under a secret that is not configured, or
    /// is no such key. What it is doing on nodes that can read it is not known here.
    Unreadable,
}

impl KeyState {
    /// The name: `upcoming`, `in-use`, `previous`, `retired` or `unreadable`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::InUse => "in-use",
            Self::Previous => "previous",
            Self::Retired => "retired",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What became of a rotation that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum KeyRotation {
    /// This call made a key.
    Made(KeyId),
    /// One was made a moment ago and is not used by every node yet: somebody else asked at the
    /// same time, or the keys are new. No other was made.
    MadeAlready(KeyId),
}

impl StoredKey {
    /// The key's name, which tokens say they were made with.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// What it is for.
    pub fn purpose(&self) -> KeyPurpose {
        self.purpose
    }

    /// What it is used with: `RS256` or `HS256`.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The length of a signing key's modulus in bits; `None` for a refresh key, and for one that
    /// cannot be read here.
    pub fn bits(&self) -> Option<usize> {
        self.bits
    }

    /// When it was made.
    pub fn created_at(&self) -> SystemTime {
        from_unix_ms(self.created_at_ms)
    }

    /// The name of the at-rest secret that it is encrypted under; `None` when it is stored in the
    /// clear.
    pub fn sealed_under(&self) -> Option<&str> {
        self.sealed_under.as_deref()
    }

    /// What it is doing.
    pub fn state(&self) -> KeyState {
        self.state
    }
}
