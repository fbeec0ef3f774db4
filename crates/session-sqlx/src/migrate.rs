//! Brings the schema up to date, however many processes start at once.

use sqlx::{Connection, SqliteConnection};

use crate::{
    dialect::sqlite::{BEGIN_WRITE, MIGRATIONS, STATEMENTS},
    error::ConnectError,
};

/// Applies the migrations that are missing.
///
/// Versions are kept in a table and not in `user_version`, which belongs to the application whose
/// tables may be in the same file. All of it is one transaction that begins with the write lock:
/// of processes that start together one migrates and the others wait and find it done.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), ConnectError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if judge(version(connection).await?, known)? == known {
        return Ok(());
    }
    let mut transaction = connection.begin_with(BEGIN_WRITE).await?;
    sqlx::query(STATEMENTS.create_schema)
        .execute(&mut *transaction)
        .await?;
    let present = judge(version(&mut transaction).await?, known)?;
    for (version, text) in (1..).zip(MIGRATIONS.iter().copied()) {
        if version > present {
            sqlx::raw_sql(text).execute(&mut *transaction).await?;
            sqlx::query(STATEMENTS.record_schema)
                .bind(version)
                .execute(&mut *transaction)
                .await?;
        }
    }
    Ok(transaction.commit().await?)
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, ConnectError> {
    let schema = sqlx::query(STATEMENTS.find_schema)
        .fetch_optional(&mut *connection)
        .await?;
    if schema.is_none() {
        return Ok(0);
    }
    let version: Option<i64> = sqlx::query_scalar(STATEMENTS.schema_version)
        .fetch_one(connection)
        .await?;
    Ok(version.unwrap_or(0))
}

fn judge(found: i64, known: i64) -> Result<i64, ConnectError> {
    if found > known {
        return Err(ConnectError::SchemaTooNew { found, known });
    }
    Ok(found)
}
