//! A refresh, beside the bare update of the same row and the bare signature; and a login.

use bench::{
    clock::now_ms,
    extent::{Extent, Only},
    records::{handle, session},
    rounds::{self, Pairs},
    row::{Row, Target, Unit},
};
use session_core::{
    store::{Created, SessionStore},
    verify::PresentedAntiCsrf::NotChecked,
};

use crate::{
    held::{Held, Kind, Place, Statements, Step},
    processors,
    service::{Apart, Service},
    verify::waiting,
};

/// One caller, on the databases of SQL that the targets name.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let name = format!("refresh-{}", kind.in_names());
        if only.wants(&name) {
            let pairs = processors::on_one(kind, || waiting(in_turn(extent, kind)));
            let what = format!(
                "`Sessions::refresh` on {}, {}",
                kind.name(),
                processors::ONE_CALLER
            );
            let against = "the conditional update of such a row on one held connection, committed, and \
                           one signature";
            let target = Target::RatioAtMost(1.3);
            rows.push(Row::compared(
                name,
                [&what, against],
                Unit::Nanoseconds,
                pairs,
                target,
            ));
        }
    }
    rows
}

/// What a login takes, to know what it asks of a database.
pub(crate) fn of_logins(extent: Extent, only: &Only) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let name = format!("login-{}", kind.in_names());
        if only.wants(&name) {
            let figures = processors::on_one(kind, || waiting(logins(extent, kind)));
            let what = format!(
                "`Sessions::create` on {}, {}",
                kind.name(),
                processors::ONE_CALLER
            );
            rows.push(Row::alone(
                name,
                what,
                Unit::Nanoseconds,
                figures,
                Target::Shown,
            ));
        }
    }
    rows
}

async fn logins(extent: Extent, kind: Kind) -> Vec<f64> {
    let place = Place::of(kind);
    let service = Service::on(place.sql_store().await, |config| config).await;
    let figures = rounds::alone_waiting(extent, async |call| {
        drop(service.log_in(call).await);
    });
    let figures = figures.await;
    service.sessions.shutdown().await;
    figures
}

async fn in_turn(extent: Extent, kind: Kind) -> Pairs {
    // A file for each, as a page that one connection of SQLite writes has to be read again by
    // another one.
    let (place, bare_place) = (Place::of(kind), Place::of(kind));
    let service = Service::on(place.sql_store().await, |config| config).await;
    let mut tokens = Vec::new();
    let mut same = None;
    for number in 0..SESSIONS {
        let (_, issued) = service.log_in(number).await.into_parts();
        same = Some(Apart::of(issued.access_token().expose()));
        tokens.push(issued.refresh_token().unwrap().clone());
    }
    let same = same.unwrap();

    let store = bare_place.sql_store().await;
    let now_ms = now_ms();
    let mut steps = Vec::new();
    let mut statements = None;
    for number in 0..u32::try_from(SESSIONS).unwrap() {
        let row = session(handle("b", number), format!("user-{number}"), now_ms);
        let created = store.create(&row).await.unwrap();
        assert_eq!(created, Created::Created);
        if statements.is_none() {
            statements = Some(Statements::of(&store, &row).await);
        }
        steps.push(Step {
            generation: i64::try_from(row.generation).unwrap(),
            rotations: row.rotations.to_text(),
            handle: row.handle,
            now_ms,
        });
    }
    let mut bare = Held::on(kind, &bare_place, &statements.unwrap()).await;
    let mut signature = vec![0; service.key.signature_length()];

    let pairs = rounds::in_turn_waiting(
        extent,
        async |call| {
            let token = tokens.get_mut(call % SESSIONS).unwrap();
            let refreshed = service.sessions.refresh(token, NotChecked).await.unwrap();
            *token = refreshed.tokens().refresh_token().unwrap().clone();
        },
        async |call| {
            let step = steps.get_mut(call % SESSIONS).unwrap();
            bare.rotate(step).await;
            step.generation += 1;
            service.key.sign(&same.signed, &mut signature);
        },
    );
    let pairs = pairs.await;
    service.sessions.shutdown().await;
    pairs
}

const SESSIONS: usize = 64;
