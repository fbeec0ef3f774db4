//! The store suite, on a file, on an application's pool and in memory.

use std::{sync::Arc, time::Duration};

use session_core::{async_trait, store::SessionStore};
use session_sqlx::{ConnectOptions, SqlitePool, SqlxStore};
use session_testkit::store::TestDatabase;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::files::url_in;

mod on_a_file {
    use super::File;

    session_testkit::store_suite!(File::default());
}

mod in_memory {
    use super::Memory;

    session_testkit::store_suite!(Memory::default());
}

mod on_an_applications_pool {
    use super::OwnPool;

    session_testkit::store_suite!(OwnPool::default());
}

/// A database file in a folder of its own.
struct File(TempDir);

impl Default for File {
    fn default() -> Self {
        Self(TempDir::new().unwrap())
    }
}

#[async_trait]
impl TestDatabase for File {
    async fn open(&self) -> Arc<dyn SessionStore> {
        let options = ConnectOptions::new(url_in(&self.0)).timeout(PATIENCE);
        Arc::new(SqlxStore::connect_with(options).await.unwrap())
    }
}

/// A database in memory, which no second process can open.
#[derive(Default)]
struct Memory(OnceCell<SqlxStore>);

#[async_trait]
impl TestDatabase for Memory {
    async fn open(&self) -> Arc<dyn SessionStore> {
        let store = self
            .0
            .get_or_init(|| async { SqlxStore::connect("sqlite::memory:").await.unwrap() });
        Arc::new(store.await.clone())
    }
}

/// A file that is opened with the driver's own defaults, which keep a rollback journal.
struct OwnPool(TempDir);

impl Default for OwnPool {
    fn default() -> Self {
        Self(TempDir::new().unwrap())
    }
}

#[async_trait]
impl TestDatabase for OwnPool {
    async fn open(&self) -> Arc<dyn SessionStore> {
        let options = SqliteConnectOptions::new()
            .filename(self.0.path().join("sessions.db"))
            .create_if_missing(true)
            .busy_timeout(PATIENCE);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let options = ConnectOptions::over(pool).timeout(PATIENCE);
        Arc::new(SqlxStore::connect_with(options).await.unwrap())
    }
}

/// A machine that is busy with other tests is not what the suite asks about.
const PATIENCE: Duration = Duration::from_mins(1);
