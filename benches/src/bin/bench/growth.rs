//! What the number of sessions does to the cost of an operation, and what one takes on the disk.

use std::collections::BTreeSet;

use bench::{
    clock::now_ms,
    extent::{Extent, Only},
    filled::{self, of_user},
    records::{below, handle, rotation, session},
    rounds::{self, Pairs, at},
    row::{Row, Target, Unit},
};
use databases::Filling;
use session_core::store::{Created, Rotated, SessionRecord, SessionStore as _};
use session_sqlx::SqlxStore;

use crate::{
    held::{Kind, Place},
    processors,
    verify::waiting,
};

/// Each operation among few sessions and among many, in turn; and the size of a session.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        rows.extend(growth(extent, only, kind));
        let size = format!("size-{}", kind.in_names());
        if only.wants(&size) {
            rows.push(size_of_a_session(size, extent, kind));
        }
    }
    rows
}

fn growth(extent: Extent, only: &Only, kind: Kind) -> Vec<Row> {
    let name = |operation: Operation| format!("growth-{}{}", kind.in_names(), operation.in_names());
    let wanted: Vec<Operation> = (Operation::ALL.into_iter())
        .filter(|operation| only.wants(&name(*operation)))
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let most = extent.either(10_000_000, 100_000);
    let filled = waiting(async { [most, FEW].map(|sessions| Filled::new(kind, sessions)) });
    for one in &filled {
        waiting(one.fill_in_bulk());
    }
    let [many, few] = &filled;
    let row = |operation: Operation| {
        let mut pairs = Pairs::default();
        for opening in 0..OPENINGS {
            pairs.append(processors::on_one(kind, || {
                waiting(in_turn(extent, operation, [many, few], opening))
            }));
        }
        let what = format!(
            "{} one of {most} on {}, {}",
            operation.in_words(),
            kind.name(),
            processors::ONE_CALLER
        );
        let against = format!("the same among {FEW}");
        let unit = Unit::Nanoseconds;
        let target = operation.target();
        Row::compared(name(operation), [&what, &against], unit, pairs, target)
    };
    wanted.into_iter().map(row).collect()
}

async fn in_turn(
    extent: Extent,
    operation: Operation,
    [many, few]: [&Filled; 2],
    opening: u32,
) -> Pairs {
    let (mut many, mut few) = (many.open(opening).await, few.open(opening).await);
    let pairs = rounds::in_turn_waiting(
        extent,
        async |call| many.once(operation, call).await,
        async |call| few.once(operation, call).await,
    );
    pairs.await
}

/// What is measured. In this order, as the last one adds sessions.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Get,
    List,
    Rotate,
    Create,
}

impl Operation {
    const ALL: [Self; 4] = [Self::Get, Self::List, Self::Rotate, Self::Create];

    fn in_names(self) -> &'static str {
        match self {
            Self::Get => "",
            Self::List => "-list",
            Self::Rotate => "-rotate",
            Self::Create => "-create",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Get => "`SessionStore::get` of a session,",
            Self::List => "`SessionStore::list` of a user's 20 sessions, each",
            Self::Rotate => "`SessionStore::rotate` of a session,",
            Self::Create => "`SessionStore::create` of a session that becomes",
        }
    }

    fn target(self) -> Target {
        match self {
            Self::Get => Target::RatioAtMost(1.5),
            Self::List | Self::Rotate | Self::Create => Target::Shown,
        }
    }
}

/// A database that is full.
struct Filled {
    place: Place,
    filling: Filling,
}

impl Filled {
    fn new(kind: Kind, sessions: u32) -> Self {
        let filling = Filling {
            sessions,
            revocations: 0,
            expired: 0,
            now_ms: now_ms(),
        };
        Self {
            place: Place::of(kind),
            filling,
        }
    }

    async fn fill_in_bulk(&self) {
        if let Place::Server(database) = &self.place {
            filled::postgres_in_bulk(database, self.filling).await;
        } else {
            filled::file(&self.place.url().await, self.filling).await;
        }
    }

    /// Opens a store and reads some of the sessions, which are in the caches then.
    async fn open(&self, opening: u32) -> Opened {
        let store = filled::open(&self.place.url().await).await;
        let filling = self.filling;
        let mut sessions = Vec::new();
        for number in 0..SAMPLES {
            let scope = of_user(below(number, filling.users()));
            let page = store.list(&scope, filling.now_ms, None, 20).await.unwrap();
            sessions.extend(page.into_iter().nth(usize::try_from(number % 10).unwrap()));
        }
        let mut drawn = BTreeSet::new();
        sessions.retain(|session: &SessionRecord| drawn.insert(session.handle.to_string()));
        Opened {
            store,
            sessions,
            filling,
            opening,
        }
    }
}

/// A store, and sessions from all over it.
struct Opened {
    store: SqlxStore,
    sessions: Vec<SessionRecord>,
    filling: Filling,
    opening: u32,
}

impl Opened {
    async fn once(&mut self, operation: Operation, call: usize) {
        let (store, now_ms) = (&self.store, self.filling.now_ms);
        let number = u32::try_from(call).unwrap();
        let user = below(number % SAMPLES, self.filling.users());
        match operation {
            Operation::Get => {
                let found = store.get(&at(&self.sessions, call).handle).await.unwrap();
                assert!(found.is_some());
            }
            Operation::List => {
                let page = store.list(&of_user(user), now_ms, None, 20).await.unwrap();
                assert_eq!(page.len(), 20);
            }
            Operation::Rotate => {
                let index = call % self.sessions.len();
                let session = self.sessions.get_mut(index).unwrap();
                let next = rotation(session, now_ms);
                let rotated = store.rotate(&next).await.unwrap();
                assert_eq!(rotated, Rotated::Rotated);
                session.generation = next.to_generation;
                session.rotations = next.rotations;
            }
            Operation::Create => {
                let handle = handle(&format!("new-{}", self.opening), number);
                let new = session(handle, Filling::user(user), now_ms);
                let created = store.create(&new).await.unwrap();
                assert_eq!(created, Created::Created);
            }
        }
    }
}

/// Row by row, as their place depends on the order in which they come.
fn size_of_a_session(name: String, extent: Extent, kind: Kind) -> Row {
    let sessions = extent.either(1_000_000, 100_000);
    let bytes = waiting(async {
        let filled = Filled::new(kind, sessions);
        let filling = Filling {
            revocations: sessions / 10,
            ..filled.filling
        };
        match &filled.place {
            Place::Server(database) => {
                filled::server(database, filling).await;
                database.ask(SIZE_ON_POSTGRES).await
            }
            place => {
                filled::file(&place.url().await, filling).await;
                place.bytes()
            }
        }
    });
    let kilobytes = u32::try_from(bytes / 1_024).unwrap();
    let each = f64::from(kilobytes) * 1_024.0 / f64::from(sessions);
    let what = format!(
        "a session on the disk with its indexes and a tenth of a revocation, of {sessions} on {}",
        kind.name()
    );
    Row::alone(name, what, Unit::BytesPerEntry, vec![each], Target::Shown)
}

const SIZE_ON_POSTGRES: &str = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class \
                                WHERE relname IN ('session_sessions', 'session_revocations')";
const FEW: u32 = 1_000;
/// How many sessions are asked for at most: more than a processor's own caches hold, fewer than a
/// database's.
const SAMPLES: u32 = 5_000;
const OPENINGS: u32 = 3;
