//! Brings the schema up to date, however many processes start at once.

use sqlx::{Connection, SqlSafeStr};

use crate::{
    dialect::{Dialect, Value},
    error::ConnectError,
    names::Names,
};

/// Applies the migrations that are missing.
///
/// Versions are kept in a table of our own, as the application may keep its tables beside ours. Of
/// processes that start together one migrates, and the others wait and find it done. After an error
/// the connection must be closed: it may hold the lock still, or a transaction.
pub(crate) async fn migrate<D: Dialect>(
    connection: &mut D::Connection,
    names: &Names,
) -> Result<(), ConnectError> {
    let known = i64::try_from(D::MIGRATIONS.len()).unwrap_or(i64::MAX);
    if judge(version::<D>(connection, names).await?, known)? == known {
        return Ok(());
    }
    let inside = |text| match D::STATEMENTS.enter_schema {
        Some(_) => names.fill_inside(text),
        None => names.fill(text),
    };
    let table = names.version_table();
    let place = [Value::Text(names.schema()), (&table).into()];
    let mut transaction = connection
        .begin_with(D::BEGIN_MIGRATION.into_sql_str())
        .await?;
    if let Some(lock) = D::STATEMENTS.lock_schema {
        let answer = D::fetch(&mut transaction, inside(lock), &place).await?;
        let locked = answer.first().map(|row| D::number(row, "locked"));
        if locked.transpose()?.flatten() != Some(1) {
            return Err(ConnectError::MigratedByAnother);
        }
    }
    if let (Some(enter), Some(schema)) = (D::STATEMENTS.enter_schema, names.schema()) {
        D::fetch(&mut transaction, names.fill(enter), &[schema.into()]).await?;
    }
    let create = inside(D::STATEMENTS.create_schema);
    D::execute(&mut transaction, create, &[]).await?;
    let present = judge(version::<D>(&mut transaction, names).await?, known)?;
    for (version, text) in (1_i64..).zip(D::MIGRATIONS) {
        if version > present {
            D::run(&mut transaction, inside(text)).await?;
            let record = inside(D::STATEMENTS.record_schema);
            D::execute(&mut transaction, record, &[version.into()]).await?;
        }
    }
    transaction.commit().await?;
    if let Some(unlock) = D::STATEMENTS.unlock_schema {
        D::fetch(connection, inside(unlock), &place).await?;
    }
    Ok(())
}

async fn version<D: Dialect>(
    connection: &mut D::Connection,
    names: &Names,
) -> Result<i64, ConnectError> {
    let table = names.version_table();
    let find = names.fill(D::STATEMENTS.find_schema);
    let place = [Value::Text(names.schema()), (&table).into()];
    if D::fetch(connection, find, &place).await?.is_empty() {
        return Ok(0);
    }
    let ask = names.fill(D::STATEMENTS.schema_version);
    let answer = D::fetch(connection, ask, &[]).await?;
    let version = answer.first().map(|row| D::number(row, "version"));
    Ok(version.transpose()?.flatten().unwrap_or(0))
}

fn judge(found: i64, known: i64) -> Result<i64, ConnectError> {
    if found > known {
        return Err(ConnectError::SchemaTooNew { found, known });
    }
    Ok(found)
}
