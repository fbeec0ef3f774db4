//! Every case of the HTTP suite on axum over every store, and with tokens remembered: the complete
//! answers are equal.
//!
//! Whatever database a team uses, its clients see the same.

use std::{net::TcpListener, sync::Arc};

use databases::{Database, PATIENCE, Server, redis_address, unused_name};
use session_core::{
    MemoryStore, Sessions, async_trait, config::SessionConfigBuilder, store::SessionStore,
};
use session_redis::RedisStore;
use session_sqlx::{ConnectOptions, SqlxStore};
use session_testkit::http::{Adapter, Contender, ServerGuard};
use tempfile::TempDir;

use crate::same_answers::axum::Axum;

fn contenders() -> Vec<Contender> {
    let sqlite = Place::Folder(tempfile::tempdir().unwrap());
    let [postgres, mariadb] = Server::ALL.map(|server| Place::Database(Database::on(server)));
    vec![
        Contender::new("memory", AxumOver(Place::Memory)),
        Contender::new("verified tokens remembered", Remembering),
        Contender::new("SQLite", AxumOver(sqlite)),
        Contender::new("PostgreSQL", AxumOver(postgres)),
        Contender::new("MariaDB", AxumOver(mariadb)),
        Contender::new("Redis", AxumOver(Place::Redis)),
    ]
}

session_testkit::same_answers!(contenders());

/// Sessions on axum that are kept in a place of the case's own.
struct AxumOver(Place);

enum Place {
    Memory,
    Folder(TempDir),
    Database(Database),
    Redis,
}

#[async_trait]
impl Adapter for AxumOver {
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
        Axum.serve(sessions, listener).await
    }

    /// A case may ask for several: each has a file, or names in the case's database, of its own.
    async fn empty_store(&self) -> Arc<dyn SessionStore> {
        let unused = unused_name();
        match &self.0 {
            Place::Memory => Arc::new(MemoryStore::default()),
            Place::Folder(folder) => {
                let file = folder.path().join(unused);
                let options = ConnectOptions::new(format!("sqlite://{}", file.display()));
                Arc::new(sqlx_store(options).await)
            }
            Place::Database(database) => {
                let options = ConnectOptions::new(database.url().await);
                Arc::new(sqlx_store(options.table_prefix(unused)).await)
            }
            Place::Redis => {
                let options = session_redis::ConnectOptions::new(redis_address());
                let options = options.prefix(unused).timeout(PATIENCE);
                Arc::new(RedisStore::connect_with(options).await.unwrap())
            }
        }
    }
}

/// Sessions on axum whose access tokens are verified once.
struct Remembering;

#[async_trait]
impl Adapter for Remembering {
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
        Axum.serve(sessions, listener).await
    }

    fn unnoticed(&self, config: SessionConfigBuilder) -> SessionConfigBuilder {
        config.verified_tokens(1_000)
    }
}

async fn sqlx_store(options: ConnectOptions) -> SqlxStore {
    let options = options.timeout(PATIENCE);
    SqlxStore::connect_with(options).await.unwrap()
}
