//! What the nodes of a test stand on: a database of the test's own, which it may break; and what
//! nodes promise.

use std::{env, sync::Arc, time::Duration};

use fastrand::Rng;

use futures_util::{StreamExt as _, stream};
use history::{Check, History, Promise};
use nodes::{Device, Fleet, PATIENCE, Place, Settings};
use servers::{Kind, OwnServer};
use session_core::store::SessionStore;
use session_redis::RedisStore;
use session_sqlx::SqlxStore;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

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
            _ => Arc::new(open(&self.url()).await),
        }
    }

    /// Looks at each session in the database, and lets its client try to go on at one of these places;
    /// and when all can have heard of every end, at all of them.
    pub(crate) async fn find_out(
        &self,
        devices: &mut [Device],
        places: &[Place],
        history: &History,
    ) {
        let store = self.store().await;
        // A few at a time, as there may be hundreds.
        let finding_out = stream::iter(devices.iter_mut().zip(places.iter().cycle()))
            .for_each_concurrent(4, async |(device, at)| {
                device.peer().look(&*store, history).await;
                device.try_use(*at, Check::Database, history).await;
                device.refresh(*at, history).await;
                device.try_use(*at, Check::Database, history).await;
            });
        finding_out.await;
        sleep(PROMISE.max_staleness).await;
        let trying = stream::iter(devices.iter()).for_each_concurrent(4, async |device| {
            for at in places {
                device.try_use(*at, Check::Blacklist, history).await;
            }
        });
        trying.await;
    }
}

/// The SQL store of an address itself, past all nodes.
pub(crate) async fn open(url: &str) -> SqlxStore {
    let options = session_sqlx::ConnectOptions::new(url).timeout(PATIENCE);
    SqlxStore::connect_with(options).await.unwrap()
}

/// Settings of a node that asks the store of an address often.
pub(crate) fn quick(url: &str) -> Settings {
    Settings::new(url).with("--poll-ms=100").with(format!(
        "--max-staleness-ms={}",
        PROMISE.max_staleness.as_millis()
    ))
}

/// INV-10: all is well again soon after an outage, without a restart.
pub(crate) async fn assert_recovers(fleet: &Fleet) {
    let began = Instant::now();
    fleet.until_well().await;
    let took = began.elapsed();
    assert!(took < RECOVERY_IN_TIME, "well again only after {took:?}");
}

/// The same again with `SESSION_TEST_CAMPAIGN_SEED`, which is said.
pub(crate) fn dice(name: &str) -> Rng {
    let seed = env::var("SESSION_TEST_CAMPAIGN_SEED");
    let seed = seed.map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("{name}: SESSION_TEST_CAMPAIGN_SEED={seed}");
    Rng::with_seed(seed)
}

/// A new session.
pub(crate) async fn log_in(at: Place, user: &str, history: &History) -> Device {
    Device::log_in(at, user, history).await.unwrap()
}

/// Of nodes that are [`quick`].
pub(crate) const PROMISE: Promise = Promise {
    max_staleness: Duration::from_secs(1),
    grace: Duration::from_secs(30),
    // INV-10.
    recovery: Duration::from_secs(5),
    // A node gives up after its store's timeout, at most 20 seconds, and what it has sent may be
    // stopped up, or wait for what was, for as long again.
    lingers: Duration::from_mins(2),
    // An hour, less the part that is left to chance and the window in which it is handed out again.
    access_lifetime: Duration::from_mins(55),
};
/// The same where the database is always there.
pub(crate) const NEVER_AWAY: Promise = Promise {
    recovery: Duration::ZERO,
    ..PROMISE
};
/// The five seconds of INV-10, and what a busy machine adds to them.
const RECOVERY_IN_TIME: Duration = Duration::from_secs(15);
