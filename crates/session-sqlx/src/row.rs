//! Reads rows back, and never trusts one.

#[cfg(any(feature = "mysql", feature = "sqlite"))]
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use session_core::{
    InvalidId,
    store::{
        KeyPurpose, KeyRecord, NodeRecord, RevokedSession, Rotations, SessionRecord, StoreError,
    },
};
use zeroize::Zeroizing;

use crate::dialect::Dialect;

pub(crate) fn session<D: Dialect>(row: &D::Row) -> Result<SessionRecord, StoreError> {
    let row = Columns::<D>(row, "session");
    Ok(SessionRecord {
        handle: row.id("handle")?,
        tenant: row.id("tenant")?,
        user: row.id("user_id")?,
        generation: row.number("generation")?.cast_unsigned(),
        secret_hash: row
            .bytes("secret_hash")?
            .try_into()
            .map_err(|_| row.corrupt())?,
        refresh_key: row.id("refresh_key")?,
        rotations: Rotations::parse(&row.text("rotations")?)?,
        payload: row.text("payload")?,
        payload_version: row.number("payload_version")?.cast_unsigned(),
        data: row.text("data")?,
        created_at_ms: row.number("created_at_ms")?,
        refreshed_at_ms: row.number("refreshed_at_ms")?,
        expires_at_ms: row.number("expires_at_ms")?,
        absolute_expires_at_ms: row.maybe_number("absolute_expires_at_ms")?,
        access_expires_at_ms: row.number("access_expires_at_ms")?,
    })
}

pub(crate) fn key<D: Dialect>(row: &D::Row) -> Result<KeyRecord, StoreError> {
    let row = Columns::<D>(row, "key");
    Ok(KeyRecord {
        id: row.id("id")?,
        purpose: KeyPurpose::parse(&row.text("purpose")?)?,
        algorithm: row.text("algorithm")?,
        created_at_ms: row.number("created_at_ms")?,
        material: Zeroizing::new(row.bytes("material")?),
        sealed_under: row.maybe_text("sealed_under")?,
    })
}

/// What a row is found by.
pub(crate) fn name<D: Dialect>(row: &D::Row) -> Result<String, StoreError> {
    Columns::<D>(row, "expired row").text("name")
}

/// A recorded revocation.
pub(crate) fn revoked<D: Dialect>(row: &D::Row) -> Result<RevokedSession, StoreError> {
    let row = Columns::<D>(row, "revocation");
    Ok(RevokedSession {
        handle: row.id("handle")?,
        expires_at_ms: row.number("expires_at_ms")?,
    })
}

pub(crate) fn node<D: Dialect>(row: &D::Row) -> Result<NodeRecord, StoreError> {
    let row = Columns::<D>(row, "node");
    Ok(NodeRecord {
        id: row.id("id")?,
        name: row.id("name")?,
        acknowledged: row.number("acknowledged")?.cast_unsigned(),
    })
}

/// A number that says where something stands.
pub(crate) fn place<D: Dialect>(row: &D::Row, column: &'static str) -> Result<u64, StoreError> {
    number::<D>(row, column).map(i64::cast_unsigned)
}

/// A number that is not NULL.
pub(crate) fn number<D: Dialect>(row: &D::Row, column: &'static str) -> Result<i64, StoreError> {
    Columns::<D>(row, column).number(column)
}

/// What a cursor remembers of a record, to see whether the one in its place is still the same: a
/// number that is of no use outside this process. A session that a restored backup brought back and
/// that ends again is remembered for another time.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) fn mark(revoked: &RevokedSession) -> u64 {
    let mut hasher = DefaultHasher::new();
    revoked.handle.as_str().hash(&mut hasher);
    revoked.expires_at_ms.hash(&mut hasher);
    hasher.finish()
}

/// Whether a column is NULL.
pub(crate) fn is_absent<D: Dialect>(
    row: &D::Row,
    column: &'static str,
) -> Result<bool, StoreError> {
    D::is_null(row, column).map_err(|_| StoreError::Corrupt(column))
}

/// A row, and what it is called when it cannot be read.
struct Columns<'r, D: Dialect>(&'r D::Row, &'static str);

impl<D: Dialect> Columns<'_, D> {
    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        D::text(self.0, column).map_err(|_| self.corrupt())
    }

    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.maybe_text(column)?.ok_or_else(|| self.corrupt())
    }

    fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        D::number(self.0, column).map_err(|_| self.corrupt())
    }

    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.maybe_number(column)?.ok_or_else(|| self.corrupt())
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        D::bytes(self.0, column).map_err(|_| self.corrupt())
    }

    fn id<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: TryFrom<String, Error = InvalidId>,
    {
        T::try_from(self.text(column)?).map_err(|_| self.corrupt())
    }

    fn corrupt(&self) -> StoreError {
        StoreError::Corrupt(self.1)
    }
}
