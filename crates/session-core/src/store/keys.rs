//! `KeyRecord`: the row of a key.

use std::fmt;

use zeroize::Zeroizing;

use super::StoreError;
use crate::ids::KeyId;

/// A key's row.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the row; a new column is a breaking change for every store"
)]
pub struct KeyRecord {
    /// The key's name; unique.
    pub id: KeyId,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// The algorithm that the material belongs to, and the only one it is ever used with: `RS256`
    /// or `HS256`.
    pub algorithm: String,
    /// When the key was made, in Unix milliseconds.
    pub created_at_ms: i64,
    /// The key material, encrypted when `sealed_under` says so.
    pub material: Zeroizing<Vec<u8>>,
    /// The name of the at-rest secret that the material is encrypted under, if any.
    pub sealed_under: Option<String>,
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("created_at_ms", &self.created_at_ms)
            .finish_non_exhaustive()
    }
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyPurpose {
    /// Signs access tokens and is replaced regularly (`d-…`).
    AccessDynamic,
    /// Signs access tokens and tokens for other services, and stays (`s-…`).
    AccessStatic,
    /// Authenticates refresh tokens and derives their successors (`r-…`).
    Refresh,
}

impl KeyPurpose {
    /// The text form for a column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDynamic => "access-dynamic",
            Self::AccessStatic => "access-static",
            Self::Refresh => "refresh",
        }
    }

    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when the text names no purpose.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::AccessDynamic, Self::AccessStatic, Self::Refresh]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .ok_or(StoreError::Corrupt("key purpose"))
    }
}

/// What became of [`SessionStore::insert_key`](super::SessionStore::insert_key).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum KeyInserted {
    /// The key is there.
    Inserted,
    /// A key of this purpose that is fresh enough, or one with this id, was there already; nothing
    /// was written.
    FresherExists,
}
