//! What each of a route's three checks costs: the table of the README.

use bench::{
    extent::{Extent, Only},
    rounds::{self, at},
    row::{Row, Target, Unit},
};
use session_core::VerifyOptions;
use session_sqlx::SqlxStore;

use crate::{
    held::Kind,
    processors,
    service::Service,
    verify::{accept, waiting},
};

/// The checks by themselves, on SQLite.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    if !only.wants_any("checks") {
        return Vec::new();
    }
    processors::on_one(Kind::Sqlite, || waiting(measured(extent, only)))
}

async fn measured(extent: Extent, only: &Only) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("sessions.db").display());
    let store = SqlxStore::connect(&url).await.unwrap();
    let service = Service::on(store, |config| config).await;
    let tokens = service.tokens(0..TOKENS).await;
    let mut rows = Vec::new();
    for (name, what, options) in [
        ("checks-stateless", "the token alone", VerifyOptions::new()),
        (
            "checks-blacklist",
            "the token and the set of revoked sessions",
            VerifyOptions::new().check_blacklist(true),
        ),
        (
            "checks-database",
            "the token and the session's row in SQLite",
            VerifyOptions::new().check_database(true),
        ),
    ] {
        if !only.wants(name) {
            continue;
        }
        let figures = rounds::alone_waiting(extent, async |call| {
            accept(&service.sessions, at(&tokens, call), &options).await;
        });
        let what = format!("checking {what}, {}", processors::ONE_CALLER);
        let figures = figures.await;
        rows.push(Row::alone(
            name,
            what,
            Unit::Nanoseconds,
            figures,
            Target::Shown,
        ));
    }
    service.sessions.shutdown().await;
    rows
}

const TOKENS: usize = 512;
