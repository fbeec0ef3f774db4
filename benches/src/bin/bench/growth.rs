//! What the number of sessions does to the cost of reading one, and what one takes on the disk.

use bench::{
    clock::now_ms,
    extent::{Extent, Only},
    filled::{self, of_user},
    records::below,
    rounds::{self, Pairs, at},
    row::{Row, Target, Unit},
};
use databases::{Database, Filling, Server};
use session_core::{SessionHandle, store::SessionStore as _};
use session_sqlx::SqlxStore;

use crate::{held::Kind, verify::waiting};

/// A read of few sessions and of many, in turn.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (growth, size) = (
            format!("growth-{}", kind.in_names()),
            format!("size-{}", kind.in_names()),
        );
        if !only.wants(&growth) && !only.wants(&size) {
            continue;
        }
        let (pairs, bytes) = waiting(of(extent, kind));
        let many = most(extent);
        let what = format!("reading a session of {many} on {}", kind.name());
        let against = format!("reading one of {FEW}");
        let target = Target::RatioAtMost(1.5);
        let compared = Row::compared(growth, [&what, &against], Unit::Nanoseconds, pairs, target);
        let what = format!(
            "a session on the disk with its indexes and a tenth of a revocation, of {many} on {}",
            kind.name()
        );
        let alone = Row::alone(size, what, Unit::BytesPerEntry, vec![bytes], Target::Shown);
        rows.extend(
            [compared, alone]
                .into_iter()
                .filter(|row| only.wants(&row.name)),
        );
    }
    rows
}

async fn of(extent: Extent, kind: Kind) -> (Pairs, f64) {
    let (few, many) = (
        Full::of(kind, FEW).await,
        Full::of(kind, most(extent)).await,
    );
    let pairs = rounds::in_turn_waiting(
        extent,
        async |call| many.read(call).await,
        async |call| few.read(call).await,
    );
    (pairs.await, many.bytes_each)
}

/// A store that is full, and some of its sessions.
struct Full {
    store: SqlxStore,
    handles: Vec<SessionHandle>,
    bytes_each: f64,
    _place: Place,
}

/// Where it is; it ends with this value.
#[expect(dead_code, reason = "nothing is done with them but to keep them")]
enum Place {
    File(tempfile::TempDir),
    Server(Database),
}

impl Full {
    async fn of(kind: Kind, sessions: u32) -> Self {
        let filling = Filling {
            sessions,
            revocations: sessions / 10,
            expired: 0,
            now_ms: now_ms(),
        };
        let (store, bytes, place) = if kind == Kind::Postgres {
            let database = Database::on(Server::Postgres);
            let store = filled::on_a_server(&database, filling).await;
            let size = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class \
                        WHERE relname IN ('session_sessions', 'session_revocations')";
            let bytes = database.ask(size).await;
            (store, bytes, Place::Server(database))
        } else {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("sessions.db");
            let url = format!("sqlite://{}", file.display());
            let store = filled::on_a_file(&url, filling).await;
            let bytes = i64::try_from(file.metadata().unwrap().len()).unwrap();
            (store, bytes, Place::File(folder))
        };
        let kilobytes = u32::try_from(bytes / 1_024).unwrap();
        Self {
            handles: some_of(&store, filling).await,
            store,
            bytes_each: f64::from(kilobytes) * 1_024.0 / f64::from(sessions),
            _place: place,
        }
    }

    async fn read(&self, call: usize) {
        let found = self.store.get(at(&self.handles, call)).await.unwrap();
        assert!(found.is_some());
    }
}

/// Sessions from all over the table.
async fn some_of(store: &SqlxStore, filling: Filling) -> Vec<SessionHandle> {
    let mut handles = Vec::new();
    for number in 0..USERS {
        let scope = of_user(below(number, filling.users()));
        let page = store.list(&scope, filling.now_ms, None, 20).await.unwrap();
        let some = page.into_iter().nth(usize::try_from(number % 10).unwrap());
        handles.extend(some.map(|session| session.handle));
    }
    handles
}

fn most(extent: Extent) -> u32 {
    extent.either(1_000_000, 100_000)
}

const FEW: u32 = 1_000;
const USERS: u32 = 500;
