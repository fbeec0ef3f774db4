//! How long a revocation takes to be known on every node.

use std::{sync::Arc, time::Duration};

use databases::{Database, Server, redis_address, unused_name};
use history::{Check, History, Promise, Reply};
use nodes::{Fleet, Place, Settings};
use tokio::{task::JoinSet, time::sleep};

use crate::ground::{Ground, log_in};

/// G1, G13: PostgreSQL tells by itself, long before it would be asked.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_from_postgres() {
    let database = Database::on(Server::Postgres);
    let settings = seldom(Settings::new(&database.url().await));
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    for node in 0..3 {
        let is_told = |health: &serde_json::Value| health["is_notified"] == true;
        fleet.until(node, "notifications arrive", is_told).await;
    }
    let delays = delays("PostgreSQL, LISTEN/NOTIFY", &fleet, AT_LAST).await;
    assert!(delays.median() < SOON, "{delays:?}");
}

/// G1, I9: with Redis beside it nobody waits until the database is asked.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_from_redis_beside_mariadb() {
    let database = Database::on(Server::MySql);
    let settings = seldom(Settings::new(&database.url().await))
        .feed(&redis_address())
        .with(format!("--prefix={}", unused_name()));
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    // What is told before all listen is heard of by asking.
    let history = History::default();
    nodes::until("the feed is heard", async || {
        let device = log_in(fleet.at(0), "ann", &history).await;
        let ended = device.peer().end(fleet.at(0), &history).await;
        assert_eq!(ended, Reply::Done);
        let hearing = [fleet.at(1), fleet.at(2)].map(|at| device.is_ended(at));
        let hearing = futures_util::future::join_all(hearing);
        tokio::time::timeout(SOON, hearing).await.is_ok()
    })
    .await;
    let delays = delays("MariaDB, Redis beside it", &fleet, AT_LAST).await;
    assert!(delays.median() < SOON, "{delays:?}");
}

/// G1: MariaDB is asked.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_by_asking_mariadb() {
    let database = Database::on(Server::MySql);
    let settings = Settings::new(&database.url().await);
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    delays("MariaDB, asked each second", &fleet, STALENESS).await;
}

/// G1: so is SQLite.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_by_asking_sqlite() {
    let ground = Ground::file();
    let settings = Settings::new(&ground.url());
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    delays("SQLite, asked each second", &fleet, STALENESS).await;
}

/// G1: and so is Redis, where it is the store.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_by_asking_redis() {
    let settings = Settings::new(&redis_address()).with(format!("--prefix={}", unused_name()));
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    delays("Redis as the store, asked each second", &fleet, STALENESS).await;
}

/// What is heard is not heard by asking.
fn seldom(settings: Settings) -> Settings {
    settings
        .with("--poll-ms=10000")
        .with(format!("--max-staleness-ms={}", AT_LAST.as_millis()))
}

/// Ends sessions one after the other on one node, while the other two wait for their end.
async fn delays(name: &str, fleet: &Fleet, bound: Duration) -> Delays {
    fleet.until_well().await;
    let history = Arc::new(History::default());
    let mut waiting = JoinSet::new();
    for number in 0..REVOCATIONS {
        let (one, others) = (fleet.at(0), [fleet.at(1), fleet.at(2)]);
        waiting.spawn(delay(number, one, others, Arc::clone(&history)));
        sleep(BETWEEN_REVOCATIONS).await;
    }
    let mut delays = waiting.join_all().await.concat();
    delays.sort_unstable();
    let delays = Delays(delays);
    println!("{name}: {delays}");
    let promise = Promise {
        max_staleness: bound,
        grace: Duration::from_secs(30),
        recovery: Duration::ZERO,
    };
    history.assert_consistent(&promise, name);
    assert!(delays.0.iter().all(|delay| *delay <= bound), "{delays:?}");
    delays
}

/// How long after its acknowledgement the end of a session is known to others.
async fn delay(
    number: usize,
    one: Place,
    others: [Place; 2],
    history: Arc<History>,
) -> Vec<Duration> {
    let device = log_in(one, &format!("user-{number}"), &history).await;
    let mut hearing = JoinSet::new();
    for at in others {
        assert_eq!(
            device.try_use(at, Check::Blacklist, &history).await,
            Reply::Done
        );
        let (device, history) = (device.clone(), Arc::clone(&history));
        hearing.spawn(async move {
            assert!(device.is_ended(at).await);
            let heard = history.now();
            let told = device.try_use(at, Check::Blacklist, &history).await;
            assert_eq!(told, Reply::Gone);
            heard
        });
    }
    assert_eq!(device.peer().end(one, &history).await, Reply::Done);
    let acknowledged = history.now();
    for at in others {
        assert_eq!(
            device.try_use(at, Check::Database, &history).await,
            Reply::Gone
        );
        device.try_use(at, Check::Blacklist, &history).await;
    }
    let heard = hearing.join_all().await.into_iter();
    heard
        .map(|heard| heard.saturating_sub(acknowledged))
        .collect()
}

/// In ascending order.
#[derive(Debug)]
struct Delays(Vec<Duration>);

impl Delays {
    fn median(&self) -> Duration {
        self.quantile(50)
    }

    fn quantile(&self, percent: usize) -> Duration {
        self.0.get(self.0.len() * percent / 100).copied().unwrap()
    }
}

impl std::fmt::Display for Delays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "known after {:?} (p50), {:?} (p99) of {} samples",
            self.median(),
            self.quantile(99),
            self.0.len()
        )
    }
}

const REVOCATIONS: usize = 60;
const BETWEEN_REVOCATIONS: Duration = Duration::from_millis(40);
/// The default of what the blacklist may lag.
const STALENESS: Duration = Duration::from_secs(5);
/// The bound where the database is asked seldom.
const AT_LAST: Duration = Duration::from_secs(30);
/// Nobody asks the database so often.
const SOON: Duration = Duration::from_secs(3);
