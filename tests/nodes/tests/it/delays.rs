//! How long a revocation takes to be known on every node.

use std::{sync::Arc, time::Duration};

use databases::{Database, Server, redis_address, unused_name};
use futures_util::future::join_all;
use history::{Check, History, Promise, Reply};
use nodes::{Fleet, Opened, Place, Settings};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::ground::{Ground, NEVER_AWAY, log_in};

/// G1, G13: PostgreSQL tells by itself, long before it would be asked.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_from_postgres() {
    let database = Database::on(Server::Postgres);
    let settings = seldom(&database.url().await);
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
    let settings = seldom(&database.url().await)
        .feed(&redis_address())
        .with(format!("--prefix={}", unused_name()));
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    fleet.until_well().await;
    // What is told before all listen is heard of by asking.
    let history = History::default();
    nodes::until("the feed is heard", async || {
        let device = log_in(fleet.at(0), "ann", &history).await;
        let waiting = [fleet.at(1), fleet.at(2)].map(|at| device.wait_for_end(at));
        let waiting = join_all(waiting).await;
        let ended = device.peer().end(fleet.at(0), &history).await;
        assert_eq!(ended, Reply::Done);
        let hearing = waiting.into_iter().flatten().map(Opened::rest);
        let heard = timeout(SOON, join_all(hearing)).await;
        heard.is_ok_and(|heard| heard.iter().filter(|heard| heard.is_ok()).count() == 2)
    })
    .await;
    let delays = delays("MariaDB, Redis beside it", &fleet, AT_LAST).await;
    assert!(delays.median() < SOON, "{delays:?}");
}

/// G1: MariaDB is asked.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_by_asking_mariadb() {
    let database = Database::on(Server::MySql);
    let settings = patient(&database.url().await);
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    delays("MariaDB, asked each second", &fleet, STALENESS).await;
}

/// G1: so is SQLite.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_by_asking_sqlite() {
    let ground = Ground::file();
    let settings = patient(&ground.url());
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    delays("SQLite, asked each second", &fleet, STALENESS).await;
}

/// G1: and so is Redis, where it is the store.
#[tokio::test(flavor = "multi_thread")]
async fn every_node_hears_of_a_revocation_by_asking_redis() {
    let settings = patient(&redis_address()).with(format!("--prefix={}", unused_name()));
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    delays("Redis as the store, asked each second", &fleet, STALENESS).await;
}

/// What is heard is not heard by asking.
fn seldom(url: &str) -> Settings {
    patient(url)
        .with("--poll-ms=10000")
        .with(format!("--max-staleness-ms={}", AT_LAST.as_millis()))
}

/// Only a busy machine makes anybody wait.
fn patient(url: &str) -> Settings {
    Settings::new(url).with("--timeout-ms=20000")
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
        ..NEVER_AWAY
    };
    history.assert_consistent(&promise, name);
    // What a request is told is promised, and was judged; whoever waits is woken soon.
    let soon = bound + IN_TIME;
    assert!(delays.0.iter().all(|delay| *delay <= soon), "{delays:?}");
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
        let waiting = device.wait_for_end(at).await.unwrap();
        let (device, history) = (device.clone(), Arc::clone(&history));
        hearing.spawn(async move {
            waiting.rest().await.unwrap();
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
/// What a busy machine adds.
const IN_TIME: Duration = Duration::from_secs(5);
/// Nobody asks the database so often.
const SOON: Duration = Duration::from_secs(3);
