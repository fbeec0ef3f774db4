//! Bringing the schema up to date, or printing what would.

use serde_json::json;
use session_sqlx::SqlxStore;

use crate::{arguments::MigrateArguments, database::Place, failure::Failure, output::Output};

pub(crate) async fn run(
    place: &Place,
    which: &MigrateArguments,
    output: &Output,
) -> Result<(), Failure> {
    if place.is_redis() {
        return Err(Failure::NothingToMigrate);
    }
    let options = place.sql();
    if which.print {
        let script = options.migration_script(which.after)?;
        return output.result(&json!({ "script": script }), || script.clone());
    }
    drop(SqlxStore::connect_with(options).await?);
    output.result(&json!({ "up_to_date": true }), || {
        "the schema is up to date".to_owned()
    })
}
