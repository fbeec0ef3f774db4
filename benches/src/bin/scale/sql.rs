//! The SQL databases: filled in bulk, measured at each size, and asked how they do it.

use bench::{
    clock::now_ms,
    filled::{self, of_user},
};
use databases::{Database, Filling, Server};
use session_core::store::{SessionRecord, SessionStore};
use session_sqlx::{SqlitePool, SqlxStore};

use crate::{Extent, pages::Store, workload};

/// SQLite, on a file of the machine's own disk.
pub(crate) async fn on_a_file(extent: Extent) -> Store {
    let mut store = Store::named("SQLite");
    for &sessions in extent.sizes {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("sessions.db").display());
        let filling = filling(sessions, extent);
        filled::file(&url, filling).await;
        let opened = filled::open(&url).await;
        let pool = SqlitePool::connect(&url).await.unwrap();
        let version = sqlx::query_scalar("SELECT sqlite_version()");
        let version: String = version.fetch_one(&pool).await.unwrap();
        store.about = format!("{version}. {TENANTS}");
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
    let settings = match server {
        Server::Postgres => {
            "SELECT concat_ws(' ', 'PostgreSQL', current_setting('server_version'), \
             'with', current_setting('shared_buffers'), 'of `shared_buffers`')"
        }
        Server::MySql => {
            "SELECT concat_ws(' ', version(), 'with', @@innodb_buffer_pool_size DIV 1048576, \
             'MiB of `innodb_buffer_pool_size`')"
        }
    };
    let settings = server.ask_text(&server.address(), settings).await;
    store.about = format!("{settings}. {TENANTS}");
    for &sessions in extent.sizes {
        let database = Database::on(server);
        let filling = filling(sessions, extent);
        filled::server(&database, filling).await;
        let opened = filled::open(&database.url().await).await;
        store.plans = plans(&opened, filling).await;
        let column = workload::run(&opened, filling, extent.samples).await;
        store.add(column);
    }
    store
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

/// For a user with a tenant of its own, as a tenant that has all sessions is best read as a whole.
async fn plans(store: &SqlxStore, filling: Filling) -> Vec<session_sqlx::Plan> {
    let list = store.list(&of_user(20), filling.now_ms, None, 1).await;
    let session: SessionRecord = list.unwrap().remove(0);
    store.plans(&session).await.unwrap()
}

const TENANTS: &str = "Nine tenths of the users are in one tenant.";
