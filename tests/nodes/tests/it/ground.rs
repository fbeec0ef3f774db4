//! What the nodes of a test stand on: a database of the test's own, which it may break.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use history::{Check, History};
use nodes::{Device, PATIENCE, Place, Settings};
use servers::{Kind, OwnServer};
use session_core::store::SessionStore;
use session_redis::RedisStore;
use session_sqlx::SqlxStore;
use tempfile::TempDir;

/// Where sessions are kept.
#[derive(Debug)]
pub(crate) enum Ground {
    /// In a file that all nodes open.
    File(TempDir),
    /// On a server.
    Server(Box<OwnServer>),
}

impl Ground {
    pub(crate) fn file() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    pub(crate) fn server(kind: Kind) -> Self {
        Self::Server(Box::new(OwnServer::start(kind).unwrap()))
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(_) => "Sqlite".to_owned(),
            Self::Server(server) => format!("{:?}", server.kind()),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(folder) => {
                let file = folder.path().join("sessions.db");
                format!("sqlite://{}", file.display())
            }
            Self::Server(server) => server.url().to_owned(),
        }
    }

    /// Settings of a node that stands on it, and asks it often.
    pub(crate) fn settings(&self) -> Settings {
        quick(&self.url())
    }

    /// The store itself, past all nodes.
    pub(crate) async fn store(&self) -> Arc<dyn SessionStore> {
        match self {
            Self::Server(server) if server.kind() == Kind::Redis => {
                let options = session_redis::ConnectOptions::new(server.url()).timeout(PATIENCE);
                Arc::new(RedisStore::connect_with(options).await.unwrap())
            }
            _ => {
                let options = session_sqlx::ConnectOptions::new(self.url()).timeout(PATIENCE);
                Arc::new(SqlxStore::connect_with(options).await.unwrap())
            }
        }
    }

    /// Looks at each session in the database, and lets its client try to go on at some node.
    pub(crate) async fn find_out(&self, devices: &mut [Device], at: Place, history: &History) {
        let store = self.store().await;
        // A few at a time, as there may be hundreds.
        let finding_out = stream::iter(devices).for_each_concurrent(4, async |device| {
            device.peer().look(&*store, history).await;
            device.try_use(at, Check::Database, history).await;
            device.refresh(at, history).await;
            device.try_use(at, Check::Database, history).await;
        });
        finding_out.await;
    }
}

/// Settings of a node that asks the store of an address often.
pub(crate) fn quick(url: &str) -> Settings {
    Settings::new(url)
        .with("--poll-ms=100")
        .with("--max-staleness-ms=1000")
}

/// A new session.
pub(crate) async fn log_in(at: Place, user: &str, history: &History) -> Device {
    Device::log_in(at, user, history).await.unwrap()
}
