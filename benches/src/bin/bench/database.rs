//! The check of the database, beside the bare read of the same row and the bare verification of the
//! same signature.

use std::{mem, sync::Arc};

use bench::{
    extent::{Extent, Only},
    records::session,
    rounds::{self, Pairs, at},
    row::{Row, Target, Unit},
};
use session_core::{
    SessionHandle, VerifyOptions,
    clock::{Clock, SystemClock},
};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    held::{Held, Kind, Place, Statements},
    processors,
    service::{Apart, Service},
    verify::{accept, waiting},
};

/// One caller, and many at once, on every database.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let name = format!("database-{}-1", kind.in_names());
        if only.wants(&name) {
            let mut pairs = Pairs::default();
            for _ in 0..OPENINGS {
                pairs.append(processors::on_one(kind, || {
                    waiting(one_by_one(extent, kind))
                }));
            }
            let what = format!(
                "`Sessions::verify` with `check_database` on {}, {}",
                kind.name(),
                processors::ONE_CALLER
            );
            let against = format!("{}; and the signature's verification", read_by(kind, 1));
            rows.push(row(name, [&what, &against], pairs));
        }
        let name = format!("database-{}-{CALLERS}", kind.in_names());
        if only.wants(&name) {
            let runtime = Runtime::new().unwrap();
            let pairs = runtime.block_on(all_at_once(extent, kind));
            let what = format!(
                "`Sessions::verify` with `check_database` on {}, {CALLERS} callers on all cores \
                 who share the store's own {}: time by number of checks",
                kind.name(),
                connections(kind)
            );
            let against = format!("{}; and the signatures' verification", read_by(kind, HELD));
            rows.push(row(name, [&what, &against], pairs));
        }
    }
    rows
}

fn row(name: String, words: [&str; 2], pairs: Pairs) -> Row {
    let target = Target::RatioAtMost(1.25);
    Row::compared(name, words, Unit::Nanoseconds, pairs, target)
}

fn read_by(kind: Kind, connections: usize) -> String {
    match kind {
        Kind::Redis if connections == 1 => {
            "`HVALS` of the same row on one held connection".to_owned()
        }
        Kind::Redis => {
            format!("`HVALS` of the same rows by {CALLERS} callers on one held connection")
        }
        _ if connections == 1 => "the same prepared statement on one held connection".to_owned(),
        _ => format!(
            "the same prepared statement on {connections} held connections, each with a caller"
        ),
    }
}

fn connections(kind: Kind) -> String {
    match kind {
        Kind::Redis => "connection".to_owned(),
        _ => format!("{HELD} connections"),
    }
}

async fn one_by_one(extent: Extent, kind: Kind) -> Pairs {
    let mut opened = Opened::on(kind, 1).await;
    let Opened { checked, held, .. } = &mut opened;
    let bare = held.first_mut().unwrap();
    let pairs = rounds::in_turn_waiting(
        extent,
        async |call| checked.check(call).await,
        async |call| checked.read(bare, call).await,
    );
    let pairs = pairs.await;
    opened.checked.service.sessions.shutdown().await;
    pairs
}

async fn all_at_once(extent: Extent, kind: Kind) -> Pairs {
    let mut opened = Opened::on(kind, HELD).await;
    if let Some(one) = opened.held.first()
        && let Some(shared) = (0..CALLERS).map(|_| one.shared()).collect()
    {
        opened.held = shared;
    }
    let mut pairs = Pairs::default();
    // The first pair opens connections and prepares statements.
    for round in 0..=extent.either(31, 9) {
        let (ours, theirs) = (opened.checks().await, opened.reads().await);
        if round > 0 {
            pairs.push(ours, theirs);
        }
    }
    opened.checked.service.sessions.shutdown().await;
    pairs
}

/// A service on a database, and connections that are held beside it.
struct Opened {
    checked: Arc<Checked>,
    held: Vec<Held>,
    _place: Place,
}

/// Sessions that are checked.
struct Checked {
    service: Service,
    options: VerifyOptions,
    tokens: Vec<String>,
    apart: Vec<Apart>,
    handles: Vec<SessionHandle>,
}

impl Opened {
    async fn on(kind: Kind, connections: usize) -> Self {
        let place = Place::of(kind);
        let mut held = Vec::new();
        let service = if kind == Kind::Redis {
            Service::on(place.redis_store().await, |config| config).await
        } else {
            let store = place.sql_store().await;
            let like = session(bench::records::handle("d", 0), "ann".to_owned(), 0);
            let statements = Statements::of(&store, &like).await;
            for _ in 0..connections {
                held.push(Held::on(kind, &place, &statements).await);
            }
            Service::on(store, |config| config).await
        };
        let (mut tokens, mut handles) = (Vec::new(), Vec::new());
        for number in 0..SESSIONS {
            let (session, issued) = service.log_in(number).await.into_parts();
            handles.push(session.handle().clone());
            tokens.push(issued.access_token().expose().to_owned());
        }
        if kind == Kind::Redis {
            held.push(Held::on_redis(&place, at(&handles, 0)).await);
        }
        let checked = Arc::new(Checked {
            apart: Apart::all(&tokens),
            options: VerifyOptions::new().check_database(true),
            service,
            tokens,
            handles,
        });
        Self {
            checked,
            held,
            _place: place,
        }
    }

    /// Lets all callers check at once: nanoseconds by number of checks.
    async fn checks(&self) -> f64 {
        let mut tasks = JoinSet::new();
        let started = SystemClock.monotonic();
        for caller in 0..CALLERS {
            let checked = Arc::clone(&self.checked);
            tasks.spawn(async move {
                for number in 0..EACH {
                    checked.check(caller * EACH + number).await;
                }
            });
        }
        tasks.join_all().await;
        by_number(started)
    }

    /// Lets all held connections read as much together.
    async fn reads(&mut self) -> f64 {
        let mut tasks = JoinSet::new();
        let held = mem::take(&mut self.held);
        let each = CALLERS * EACH / held.len();
        let started = SystemClock.monotonic();
        for (caller, mut bare) in held.into_iter().enumerate() {
            let checked = Arc::clone(&self.checked);
            tasks.spawn(async move {
                for number in 0..each {
                    checked.read(&mut bare, caller * each + number).await;
                }
                bare
            });
        }
        self.held = tasks.join_all().await;
        by_number(started)
    }
}

impl Checked {
    async fn check(&self, call: usize) {
        let token = at(&self.tokens, call);
        accept(&self.service.sessions, token, &self.options).await;
    }

    async fn read(&self, bare: &mut Held, call: usize) {
        self.service.key.verify(at(&self.apart, call));
        bare.read(at(&self.handles, call)).await;
    }
}

fn by_number(started: std::time::Duration) -> f64 {
    let taken = SystemClock.monotonic().saturating_sub(started);
    let number = u32::try_from(CALLERS * EACH).unwrap();
    taken.as_secs_f64() * 1e9 / f64::from(number)
}

const SESSIONS: usize = 256;
/// How often both sides open their connections anew: what a connection happens to get of memory and
/// of a server stays with it for as long as it lives.
const OPENINGS: usize = 3;
const CALLERS: usize = 64;
/// As many connections as a store of SQL opens by itself.
const HELD: usize = 4;
/// How many checks each caller makes in a round.
const EACH: usize = 16;
