//! Servers that only repeat what another one does: none is opened, and none is followed.

use std::io;

use sqlx::SqlSafeStr;

use crate::dialect::Dialect;

/// A database that is kept by servers, some of which may be replicas.
pub(crate) trait Replicated: Dialect {
    /// Asks whether the server only repeats what another one does, and so may be behind it or never
    /// have heard of it: `is_replica` = 0 or 1.
    const ASK_REPLICA: &'static str;
}

/// Fails when the server that a connection leads to is a replica.
pub(crate) async fn must_be_primary<D: Replicated>(
    connection: &mut D::Connection,
) -> Result<(), sqlx::Error> {
    let answer = D::fetch(connection, D::ASK_REPLICA.into_sql_str(), &[]).await?;
    refuse_replica::<D>(answer.first())
}

/// Fails, as a connection that is of no use any more, unless a row says that the server is no
/// replica: what a replica has not heard of yet, or never will, it takes for not revoked.
pub(crate) fn refuse_replica<D: Replicated>(row: Option<&D::Row>) -> Result<(), sqlx::Error> {
    let is_replica = row.map(|row| D::number(row, "is_replica")).transpose()?;
    match is_replica.flatten() {
        Some(0) => Ok(()),
        _ => Err(sqlx::Error::Io(io::Error::other(
            "the server is a replica of another one",
        ))),
    }
}
