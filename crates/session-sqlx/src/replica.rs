//! Servers that only repeat what another one does: none is opened, followed or believed.

use std::io;

use sqlx::SqlSafeStr;

use crate::dialect::Dialect;

/// Fails when the server that a connection leads to is a replica.
pub(crate) async fn must_be_primary<D: Dialect>(
    connection: &mut D::Connection,
) -> Result<(), sqlx::Error> {
    let Some(ask) = D::ASK_REPLICA else {
        return Ok(());
    };
    let answer = D::fetch(connection, ask.into_sql_str(), &[]).await?;
    refuse_replica::<D>(answer.first())
}

/// Fails, as a connection that is of no use any more, unless a row says that the server is no
/// replica: what a replica has not heard of yet, or never will, it takes for not revoked.
pub(crate) fn refuse_replica<D: Dialect>(row: Option<&D::Row>) -> Result<(), sqlx::Error> {
    if D::ASK_REPLICA.is_none() {
        return Ok(());
    }
    let is_replica = row.map(|row| D::number(row, "is_replica")).transpose()?;
    match is_replica.flatten() {
        Some(0) => Ok(()),
        _ => Err(sqlx::Error::Io(io::Error::other(
            "the server is a replica of another one, or takes no writes",
        ))),
    }
}
