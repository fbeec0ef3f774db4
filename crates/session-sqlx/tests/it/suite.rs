//! The store suite on every database: its own connections, an application's pool, other names.

use std::sync::Arc;

use session_core::{async_trait, store::SessionStore};
use session_sqlx::{ConnectOptions, SqlitePool, SqlxStore};
use session_testkit::store::TestDatabase;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{
    files::url_in,
    servers::{Database, Opening, PATIENCE, Server},
};

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

mod on_postgres {
    use super::{OnServer, Server::Postgres, Way};

    session_testkit::store_suite!(OnServer::new(Postgres, Way::ItsOwn));
}

mod on_an_applications_postgres_pool {
    use super::{OnServer, Server::Postgres, Way};

    session_testkit::store_suite!(OnServer::new(Postgres, Way::Shared("READ COMMITTED")));
}

mod on_postgres_under_other_names {
    use super::{OnServer, Server::Postgres, Way};

    session_testkit::store_suite!(OnServer::new(Postgres, Way::OtherNames));
}

mod on_mysql {
    use super::{OnServer, Server::MySql, Way};

    session_testkit::store_suite!(OnServer::new(MySql, Way::ItsOwn));
}

mod on_an_applications_mysql_pool {
    use super::{OnServer, Server::MySql, Way};

    session_testkit::store_suite!(OnServer::new(MySql, Way::Shared("READ COMMITTED")));
}

mod on_an_applications_repeatable_read_postgres_pool {
    use super::{OnServer, Server::Postgres, Way};

    session_testkit::store_suite!(OnServer::new(Postgres, Way::Shared("REPEATABLE READ")));
}

mod on_an_applications_serializable_postgres_pool {
    use super::{OnServer, Server::Postgres, Way};

    session_testkit::store_suite!(OnServer::new(Postgres, Way::Shared("SERIALIZABLE")));
}

mod on_an_applications_repeatable_read_mysql_pool {
    use super::{OnServer, Server::MySql, Way};

    session_testkit::store_suite!(OnServer::new(MySql, Way::Shared("REPEATABLE READ")));
}

mod on_an_applications_serializable_mysql_pool {
    use super::{OnServer, Server::MySql, Way};

    session_testkit::store_suite!(OnServer::new(MySql, Way::Shared("SERIALIZABLE")));
}

/// A database on a server.
struct OnServer(Database, Way);

/// How the store gets its connections.
enum Way {
    ItsOwn,
    /// An application's pool, with its isolation level.
    Shared(&'static str),
    /// In a schema that no connection is in, with another prefix.
    OtherNames,
}

impl OnServer {
    fn new(server: Server, way: Way) -> Self {
        Self(Database::on(server), way)
    }
}

#[async_trait]
impl TestDatabase for OnServer {
    async fn open(&self) -> Arc<dyn SessionStore> {
        let options = match self.1 {
            Way::ItsOwn => self.0.options().await,
            Way::Shared(isolation) => self.0.shared(isolation).await,
            Way::OtherNames => {
                self.0.run("CREATE SCHEMA IF NOT EXISTS logins").await;
                let options = self.0.options().await;
                options.schema("logins").table_prefix("my_")
            }
        };
        Arc::new(SqlxStore::connect_with(options).await.unwrap())
    }
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
