//! Brings the schema up to date, however many processes start at once.

use sqlx::{Connection, SqlSafeStr, SqlStr};

use crate::{
    dialect::{Dialect, Value},
    error::ConnectError,
    names::Names,
};

/// Who brings the schema up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Migrations {
    /// The store does, when it is opened. Its account may make and change tables.
    Apply,
    /// Somebody else has, with [`ConnectOptions::migration_script`](crate::ConnectOptions::migration_script)
    /// or another store: opening fails when the schema is behind, and changes nothing.
    Require,
}

/// Makes sure that the schema is up to date, as was chosen.
pub(crate) async fn prepare<D: Dialect>(
    connection: &mut D::Connection,
    names: &Names,
    migrations: Migrations,
) -> Result<(), ConnectError> {
    match migrations {
        Migrations::Apply => migrate::<D>(connection, names).await,
        Migrations::Require => require::<D>(connection, names).await,
    }
}

/// Changes nothing, and needs no right to.
async fn require<D: Dialect>(
    connection: &mut D::Connection,
    names: &Names,
) -> Result<(), ConnectError> {
    let known = known::<D>();
    let found = judge(version::<D>(connection, names).await?, known)?;
    if found < known {
        return Err(ConnectError::SchemaBehind { found, known });
    }
    Ok(())
}

/// What brings a schema of this version up to date, for a person or a tool to run.
pub(crate) fn script<D: Dialect>(names: &Names, after: u32) -> Result<String, ConnectError> {
    let (found, known) = (i64::from(after), known::<D>());
    if found > known {
        return Err(ConnectError::SchemaTooNew { found, known });
    }
    let inside = |text| inside::<D>(names, text);
    let ended = |statement: &str| [statement.trim_end().trim_end_matches(';'), ";\n"].join("");
    let mut parts = Vec::new();
    parts.extend(D::SCRIPT.begin.map(ended));
    if let (Some(enter), Some(schema)) = (D::SCRIPT.enter_schema, names.schema()) {
        parts.push(ended(&[enter, schema].join(" ")));
    }
    parts.push(ended(inside(D::STATEMENTS.create_schema).as_str()));
    for (version, text) in (1_u32..).zip(D::MIGRATIONS) {
        if version > after {
            parts.push(ended(inside(text).as_str()));
            let values = ["(", &version.to_string(), ")"].join("");
            parts.push(ended(&[inside(RECORD).as_str(), &values].join(" ")));
        }
    }
    parts.extend(D::SCRIPT.end.map(ended));
    Ok(parts.join("\n"))
}

/// The latest version known here.
fn known<D: Dialect>() -> i64 {
    i64::try_from(D::MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// A text whose names are those in the schema, which is entered first where there is a way to.
fn inside<D: Dialect>(names: &Names, text: &'static str) -> SqlStr {
    match D::STATEMENTS.enter_schema {
        Some(_) => names.fill_inside(text),
        None => names.fill(text),
    }
}

/// Applies the migrations that are missing.
///
/// Versions are kept in a table of our own, as the application may keep its tables beside ours. Of
/// processes that start together one migrates, and the others wait and find it done. After an error
/// the connection must be closed: it may hold the lock still, or a transaction.
async fn migrate<D: Dialect>(
    connection: &mut D::Connection,
    names: &Names,
) -> Result<(), ConnectError> {
    let known = known::<D>();
    if judge(version::<D>(connection, names).await?, known)? == known {
        return Ok(());
    }
    let inside = |text| inside::<D>(names, text);
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

/// A script has no bound parameters.
const RECORD: &str = "INSERT INTO session_schema (version) VALUES";
