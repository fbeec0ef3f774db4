//! The SQL databases: filled in bulk, measured at each size, and asked how they do it.

use std::time::Duration;

use databases::{Database, Filling, Server};
use session_core::store::{SessionRecord, SessionStore};
use session_sqlx::{ConnectOptions, SqlitePool, SqlxStore};
use sqlx::AssertSqlSafe;
use tokio::time;

use crate::{
    Extent,
    clock::now_ms,
    pages::Store,
    rows::below,
    timings::Timings,
    workload::{self, of_user},
};

/// SQLite, on a file of the machine's own disk.
pub(crate) async fn on_a_file(extent: Extent) -> Store {
    let mut store = Store::named("SQLite");
    for &sessions in extent.sizes {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("sessions.db").display());
        let filling = filling(sessions, extent);
        let opened = open(&url).await;
        let pool = SqlitePool::connect(&url).await.unwrap();
        let script = AssertSqlSafe(filling.script_for_sqlite());
        sqlx::raw_sql(script).execute(&pool).await.unwrap();
        let version = sqlx::query_scalar("SELECT sqlite_version()");
        store.version = version.fetch_one(&pool).await.unwrap();
        pool.close().await;
        store.plans = plans(&opened, filling).await;
        let column = workload::run(&opened, filling, extent.samples).await;
        store.add(column);
    }
    store
}

/// PostgreSQL or MariaDB.
pub(crate) async fn on_a_server(server: Server, extent: Extent) -> Store {
    let mut store = Store::named(match server {
        Server::Postgres => "PostgreSQL",
        Server::MySql => "MariaDB",
    });
    store.version = server.ask_text(&server.address(), "SELECT version()").await;
    for &sessions in extent.sizes {
        let database = Database::on(server);
        let filling = filling(sessions, extent);
        let opened = open(&database.url().await).await;
        database.run(&filling.script(server)).await;
        store.plans = plans(&opened, filling).await;
        let column = workload::run(&opened, filling, extent.samples).await;
        store.add(column);
        if server == Server::MySql && Some(&sessions) == extent.sizes.last() {
            store.remark = buffered(&database, &opened, filling, extent.samples).await;
        }
    }
    store
}

/// What a list costs on MariaDB while the sessions do not fit into its memory, and when they do.
async fn buffered(
    database: &Database,
    store: &SqlxStore,
    filling: Filling,
    samples: u32,
) -> String {
    const ASK: &str = "SELECT CAST(@@innodb_buffer_pool_size AS SIGNED)";
    let usual = database.ask(ASK).await;
    let mut remark = vec![format!(
        "A list reads twenty rows that lie apart, as sessions are ordered by their handles.\n\
         With {} sessions:\n\n\
         | `innodb_buffer_pool_size` | list 20 of a user (ms) | pages read from the file, each |\n\
         |---:|---:|---:|\n",
        filling.sessions
    )];
    for bytes in [usual, LARGE] {
        let resize = format!("SET GLOBAL innodb_buffer_pool_size = {bytes}");
        database.run(&resize).await;
        resized(database).await;
        let scopes = (0..samples).map(|number| of_user(below(number + samples, filling.users())));
        let scopes: Vec<_> = scopes.collect();
        // Once in advance, so that what fits into memory is there.
        for scope in &scopes {
            let page = store.list(scope, filling.now_ms, None, 20).await;
            page.unwrap();
        }
        let before = database.ask(PAGES_READ).await;
        let mut list = Timings::default();
        for scope in &scopes {
            let page = store.list(scope, filling.now_ms, None, 20);
            list.of(page).await.unwrap();
        }
        let pages = database.ask(PAGES_READ).await - before;
        let each = Duration::from_secs(u64::try_from(pages).unwrap()).as_secs_f64();
        remark.push(format!(
            "| {} MiB | {} | {:.1} |\n",
            bytes / MIB,
            list.in_milliseconds(),
            each / f64::from(samples)
        ));
    }
    let reset = format!("SET GLOBAL innodb_buffer_pool_size = {usual}");
    database.run(&reset).await;
    remark.concat()
}

/// The server does it in the background, and says when it has.
async fn resized(database: &Database) {
    const ASK: &str = "SELECT CAST(COUNT(*) AS SIGNED) FROM information_schema.global_status \
        WHERE variable_name = 'Innodb_buffer_pool_resize_status' \
        AND variable_value NOT LIKE 'Completed%' AND variable_value <> ''";
    for _ in 0..MOST_LOOKS {
        if database.ask(ASK).await == 0 {
            return;
        }
        time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the server's memory stays as it was");
}

fn filling(sessions: u32, extent: Extent) -> Filling {
    eprintln!("{sessions} sessions");
    Filling {
        sessions,
        revocations: sessions / 10,
        expired: workload::expired(extent.samples),
        now_ms: now_ms(),
    }
}

async fn open(url: &str) -> SqlxStore {
    let options = ConnectOptions::new(url).timeout(PATIENCE).connections(1);
    SqlxStore::connect_with(options).await.unwrap()
}

/// For a user with a tenant of its own, as a tenant that has all sessions is best read as a whole.
async fn plans(store: &SqlxStore, filling: Filling) -> Vec<session_sqlx::Plan> {
    let list = store.list(&of_user(20), filling.now_ms, None, 1).await;
    let session: SessionRecord = list.unwrap().remove(0);
    store.plans(&session).await.unwrap()
}

const MOST_LOOKS: u32 = 600;
const PATIENCE: Duration = Duration::from_mins(10);
const MIB: i64 = 1 << 20;
const LARGE: i64 = 4_096 * MIB;
const PAGES_READ: &str = "SELECT CAST(variable_value AS SIGNED) \
    FROM information_schema.global_status WHERE variable_name = 'Innodb_buffer_pool_reads'";
