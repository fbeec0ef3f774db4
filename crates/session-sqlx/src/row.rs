//! Reads rows back, and never trusts one.

use std::time::Duration;

use session_core::{
    InvalidId,
    store::{KeyPurpose, KeyRecord, RevokedSession, Rotations, SessionRecord, StoreError},
};
use sqlx::{Decode, Row, Type};
use zeroize::Zeroizing;

use crate::{connections::DbRow, dialect::Db};

pub(crate) fn session(row: &DbRow) -> Result<SessionRecord, StoreError> {
    let row = Columns(row, "session");
    Ok(SessionRecord {
        handle: row.id("handle")?,
        tenant: row.id("tenant")?,
        user: row.id("user_id")?,
        generation: row.get::<i64>("generation")?.cast_unsigned(),
        secret_hash: row
            .get::<Vec<u8>>("secret_hash")?
            .try_into()
            .map_err(|_| row.corrupt())?,
        refresh_key: row.id("refresh_key")?,
        rotations: Rotations::parse(&row.get::<String>("rotations")?)?,
        payload: row.get("payload")?,
        payload_version: row.get::<i64>("payload_version")?.cast_unsigned(),
        data: row.get("data")?,
        created_at_ms: row.get("created_at_ms")?,
        refreshed_at_ms: row.get("refreshed_at_ms")?,
        expires_at_ms: row.get("expires_at_ms")?,
        absolute_expires_at_ms: row.get("absolute_expires_at_ms")?,
        access_expires_at_ms: row.get("access_expires_at_ms")?,
    })
}

pub(crate) fn key(row: &DbRow) -> Result<KeyRecord, StoreError> {
    let row = Columns(row, "key");
    Ok(KeyRecord {
        id: row.id("id")?,
        purpose: KeyPurpose::parse(&row.get::<String>("purpose")?)?,
        algorithm: row.get("algorithm")?,
        created_at_ms: row.get("created_at_ms")?,
        material: Zeroizing::new(row.get("material")?),
        sealed_under: row.get("sealed_under")?,
    })
}

/// A recorded revocation and its number.
pub(crate) fn revocation(row: &DbRow) -> Result<(i64, RevokedSession), StoreError> {
    let row = Columns(row, "revocation");
    let revoked = RevokedSession {
        handle: row.id("handle")?,
        expires_at_ms: row.get("expires_at_ms")?,
    };
    Ok((row.get("number")?, revoked))
}

/// The record of a session whose row was deleted.
pub(crate) fn ended(row: &DbRow, skew: Duration) -> Result<RevokedSession, StoreError> {
    let row = Columns(row, "session");
    let access_expires_at_ms = row.get("access_expires_at_ms")?;
    Ok(RevokedSession::new(
        row.id("handle")?,
        access_expires_at_ms,
        skew,
    ))
}

/// A row, and what it is called when it cannot be read.
struct Columns<'r>(&'r DbRow, &'static str);

impl<'r> Columns<'r> {
    fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Db> + Type<Db>,
    {
        self.0.try_get(column).map_err(|_| self.corrupt())
    }

    fn id<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: TryFrom<String, Error = InvalidId>,
    {
        T::try_from(self.get::<String>(column)?).map_err(|_| self.corrupt())
    }

    fn corrupt(&self) -> StoreError {
        StoreError::Corrupt(self.1)
    }
}
