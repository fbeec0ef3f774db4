//! What a rotation writes, and the last ones that a row remembers.

use std::fmt;

use super::StoreError;
use crate::ids::{KeyId, SessionHandle};

/// What a rotation writes into the row, all or nothing.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "the arguments of one statement")]
pub struct Rotation {
    /// Whose row.
    pub handle: SessionHandle,
    /// The generation that the row must still have for the rotation to happen.
    pub from_generation: u64,
    /// The generation it gets; greater than `from_generation`.
    pub to_generation: u64,
    /// SHA-256 of the new refresh token's secret.
    pub secret_hash: [u8; 32],
    /// The key that the new refresh token is made under.
    pub refresh_key: KeyId,
    /// The new history.
    pub rotations: Rotations,
    /// The time of the rotation; a row that expired by then is not rotated.
    pub at_ms: i64,
    /// The new expiry.
    pub expires_at_ms: i64,
    /// The expiry of the access token that goes with it; the row keeps the greater one.
    pub access_expires_at_ms: i64,
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("from_generation", &self.from_generation)
            .field("to_generation", &self.to_generation)
            .finish_non_exhaustive()
    }
}

/// What became of [`SessionStore::rotate`](super::SessionStore::rotate).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Rotated {
    /// This call moved the row.
    Rotated,
    /// The row has another generation, has expired or is gone; nothing was written.
    Lost,
}

/// The last rotations of a session, oldest first.
///
/// # Examples
///
/// ```
/// use session_core::{KeyId, store::{RotationEntry, Rotations}};
///
/// let mut rotations = Rotations::default();
/// for generation in 1..=9 {
///     rotations.push(RotationEntry { generation, at_ms: 1_700_000_000_000, key: KeyId::try_from("r-1")? });
/// }
/// assert_eq!(rotations.iter().count(), 8);
/// assert_eq!(Rotations::parse(&rotations.to_text())?, rotations);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotations(Vec<RotationEntry>);

impl Rotations {
    /// Reads the text form that [`to_text`](Self::to_text) writes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when the text was not written by `to_text`.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt("rotations");
        let mut entries = Vec::with_capacity(ROTATION_HISTORY);
        for entry in text.split(' ').filter(|entry| !entry.is_empty()) {
            let mut parts = entry.splitn(3, ',');
            let mut next = || parts.next().ok_or_else(corrupt);
            entries.push(RotationEntry {
                generation: next()?.parse().map_err(|_| corrupt())?,
                at_ms: next()?.parse().map_err(|_| corrupt())?,
                key: KeyId::try_from(next()?).map_err(|_| corrupt())?,
            });
        }
        if entries.len() > ROTATION_HISTORY {
            return Err(corrupt());
        }
        Ok(Self(entries))
    }

    /// Adds the newest rotation and forgets the oldest when there are too many.
    pub fn push(&mut self, entry: RotationEntry) {
        self.0.push(entry);
        let surplus = self.0.len().saturating_sub(ROTATION_HISTORY);
        self.0.drain(..surplus);
    }

    /// The rotations, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &RotationEntry> {
        self.0.iter()
    }

    /// One text for one column: `generation,at_ms,key` joined by a space, which no key id has.
    pub fn to_text(&self) -> String {
        let entries: Vec<String> = self
            .0
            .iter()
            .map(|entry| format!("{},{},{}", entry.generation, entry.at_ms, entry.key))
            .collect();
        entries.join(" ")
    }
}

/// One rotation of a session's refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "part of the row")]
pub struct RotationEntry {
    /// The generation that the rotation produced.
    pub generation: u64,
    /// When the rotation happened, in Unix milliseconds.
    pub at_ms: i64,
    /// The key that the produced refresh token was made under.
    pub key: KeyId,
}

/// The most rotations that a row remembers (design §5).
pub const ROTATION_HISTORY: usize = 8;
